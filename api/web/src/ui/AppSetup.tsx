// Setting up an authenticator app: the QR code, the same as text, and the first code as the proof that it arrived.
import { Button } from "@matrixos/look/Button.tsx";
import { type FormEvent, useRef, useState } from "react";
import { bare, codeTrouble, grouped } from "../platform/codes.ts";
import type { Trouble } from "../platform/problem.ts";
import type { AppStart } from "../platform/wire.ts";
import { CodeField } from "./CodeField.tsx";
import { CopyButton } from "./CopyButton.tsx";
import { Notice } from "./Notice.tsx";
import { QrCode } from "./QrCode.tsx";
import styles from "./app-setup.module.css";

interface AppSetupProps {
  start: AppStart;
  /** What the button says, and what it says meanwhile. */
  act: string;
  acting: string;
  busy: boolean;
  problem?: Trouble;
  finish: (code: string) => void;
  /** Begins again with another secret. */
  renew: () => void;
  cancel: () => void;
}

export function AppSetup({ start, act, acting, busy, problem, finish, renew, cancel }: AppSetupProps) {
  const [code, setCode] = useState("");
  const [trouble, setTrouble] = useState<string>();
  const field = useRef<HTMLInputElement>(null);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (busy) return;
    const wrong = codeTrouble(code, "app");
    setTrouble(wrong);
    if (wrong) field.current?.focus();
    else finish(bare(code));
  };
  const change = (text: string) => {
    setCode(text);
    setTrouble(undefined);
  };
  const over = problem?.code === "ceremony_expired";
  return (
    <form className={styles.setup} onSubmit={submit} noValidate>
      <p>Scan this with an authenticator app such as Google Authenticator, Aegis or 1Password.</p>
      <div className={styles.secret}>
        <QrCode text={start.otpauth} label="QR code for your authenticator app. The same key follows as text." />
        <div className={styles.byHand}>
          <a href={start.otpauth}>Open in an app on this device</a>
          <p>Or type this key:</p>
          <code data-testid="app-secret">{grouped(start.secret)}</code>
          <CopyButton text={start.secret} label="Copy the key" />
        </div>
      </div>
      <CodeField ref={field} kind="app" value={code} change={change} wrong={trouble} refused={problem} hint="Type the six digits that the app now shows." />
      {problem && problem.code !== "code_rejected" && (
        <Notice text={problem.text}>
          {over && (
            <Button onClick={renew} data-testid="renew-app">
              Show a new QR code
            </Button>
          )}
        </Notice>
      )}
      <div className={styles.row}>
        <Button kind="primary" type="submit" busy={busy} data-testid="confirm-app">
          {busy ? acting : act}
        </Button>
        <Button kind="plain" onClick={cancel} busy={busy} data-testid="cancel-app">
          Cancel
        </Button>
      </div>
    </form>
  );
}
