// The handle and a code: the way in without a passkey. Browsers that know the passkey offer it in the handle's field
// (WebAuthn conditional mediation).
import { Button } from "@matrixos/look/Button.tsx";
import { type FormEvent, useEffect, useRef, useState } from "react";
import { bare, codeTrouble } from "../../platform/codes.ts";
import type { Trouble } from "../../platform/problem.ts";
import { CodeField, type CodeKind } from "../../ui/CodeField.tsx";
import { Field } from "../../ui/Field.tsx";
import { Notice } from "../../ui/Notice.tsx";
import styles from "./login.module.css";

interface ByCodeProps {
  to?: string;
  busy: boolean;
  /** Begins the browser's offer and returns how it ends. */
  offer: () => () => void;
  send: (handle: string, code: string) => void;
  problem?: Trouble;
}

export function ByCode({ to = "", busy, offer, send, problem }: ByCodeProps) {
  const [handle, setHandle] = useState(to);
  const [code, setCode] = useState("");
  const [kind, setKind] = useState<CodeKind>();
  const [wrong, setWrong] = useState<{ handle?: string; code?: string }>({});
  const handleField = useRef<HTMLInputElement>(null);
  const codeField = useRef<HTMLInputElement>(null);
  // The field must be there before the browser can offer anything in it.
  useEffect(() => (busy ? undefined : offer()), [busy, offer]);
  // The code's field has just come: that is where the person goes on. Only a change of the kind moves the focus.
  useEffect(() => {
    if (kind) (handle === "" ? handleField : codeField).current?.focus();
  }, [kind]);

  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!kind) return setKind("app");
    const name = handle.trim().replace(/^@/, "").toLowerCase();
    const found = { handle: name === "" ? "Type the handle that you chose. It is the first part of your computer's address." : undefined, code: codeTrouble(code, kind) };
    setWrong(found);
    if (found.handle) handleField.current?.focus();
    else if (found.code) codeField.current?.focus();
    else send(name, bare(code));
  };

  return (
    <form className={styles.code} onSubmit={submit} noValidate>
      <Field
        ref={handleField}
        label="Your handle"
        hint={kind ? undefined : "Your browser may offer your passkey here."}
        wrong={wrong.handle}
        name="username"
        value={handle}
        onChange={(event) => {
          setHandle(event.target.value);
          setWrong({ ...wrong, handle: undefined });
        }}
        autoComplete="username webauthn"
        autoCapitalize="none"
        autoCorrect="off"
        spellCheck={false}
        maxLength={64}
        data-testid="login-handle"
      />
      {kind && (
        <CodeField
          ref={codeField}
          kind={kind}
          value={code}
          wrong={wrong.code}
          refused={problem}
          change={(text) => {
            setCode(text);
            setWrong({ ...wrong, code: undefined });
          }}
        />
      )}
      {problem && problem.code !== "code_rejected" && <Notice text={problem.text} />}
      <div className={styles.row}>
        <Button type="submit" busy={busy} kind={kind ? "primary" : "quiet"} data-testid="use-code">
          {kind ? "Sign in with the code" : "Use a code instead"}
        </Button>
        {kind && (
          <Button
            kind="quiet"
            onClick={() => {
              setCode("");
              setWrong({});
              setKind(kind === "app" ? "recovery" : "app");
            }}
            data-testid="other-code"
          >
            {kind === "app" ? "Use a recovery code" : "Use the app's code"}
          </Button>
        )}
      </div>
    </form>
  );
}
