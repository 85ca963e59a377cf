// "Confirm that it is you": asked for in front of the page when the platform wants a proof before an act.
import { Button } from "@matrixos/look/Button.tsx";
import { Fingerprint } from "lucide-react";
import { type FormEvent, type ReactNode, createContext, useCallback, useMemo, useRef, useState } from "react";
import * as api from "../platform/api.ts";
import { bare, codeTrouble } from "../platform/codes.ts";
import type { Ask } from "../platform/fresh.ts";
import { passkeysSupported, verify } from "../platform/passkey.ts";
import { Problem, type Trouble, codeOf, troubleOf } from "../platform/problem.ts";
import type { Security } from "../platform/wire.ts";
import { CodeField, type CodeKind } from "./CodeField.tsx";
import { Acts, Dialog } from "@matrixos/look/Dialog.tsx";
import { Notice } from "./Notice.tsx";
import { Waiting } from "./States.tsx";
import { useLoaded } from "./useLoaded.ts";

export const ProofContext = createContext<Ask>(() => Promise.reject(new Problem("aborted", "Nobody can be asked here.")));

interface Question {
  given: () => void;
  refused: (why: unknown) => void;
}

export function ProofProvider({ children }: { children: ReactNode }) {
  const [question, setQuestion] = useState<Question>();
  const ask = useCallback(() => new Promise<void>((given, refused) => setQuestion({ given, refused })).finally(() => setQuestion(undefined)), []);
  return (
    <ProofContext value={ask}>
      {children}
      {question && <ProofDialog {...question} />}
    </ProofContext>
  );
}

function ProofDialog({ given, refused }: Question) {
  const ways = useLoaded(api.security);
  const cancel = () => refused(new Problem("aborted", "That was stopped."));
  return (
    <Dialog title="Confirm that it is you" close={cancel}>
      <p>Only you may do this, so we ask once more.</p>
      {ways.is === "loading" && <Waiting />}
      {ways.is === "failed" && <Notice text={ways.why} />}
      {ways.is === "ready" && <Ways security={ways.value} given={given} refused={refused} />}
      <Acts>
        <Button kind="plain" onClick={cancel} data-testid="proof-cancel">
          Cancel
        </Button>
      </Acts>
    </Dialog>
  );
}

function Ways({ security, given, refused }: Question & { security: Security }) {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<unknown>();
  const running = useRef(false);
  const passkey = security.passkeys.length > 0 && passkeysSupported();
  const code = security.totp !== null;
  const prove = async (act: () => Promise<unknown>) => {
    if (running.current) return;
    running.current = true;
    setBusy(true);
    setProblem(undefined);
    await act().then(given, (error) => (codeOf(error) === "not_signed_in" ? refused(error) : setProblem(error)));
    running.current = false;
    setBusy(false);
  };
  const trouble = useMemo(() => troubleOf(problem), [problem]);
  const shown = trouble && trouble.code !== "aborted" && trouble.code !== "code_rejected";
  return (
    <>
      {passkey && (
        <Button kind="primary" size="large" busy={busy} onClick={() => void prove(verify)} data-first data-testid="proof-passkey">
          <Fingerprint size={20} strokeWidth={1.5} aria-hidden />
          Use my passkey
        </Button>
      )}
      {code && <ByCode busy={busy} first={!passkey} refused={trouble} send={(text) => void prove(() => api.verifyCode(text))} />}
      {!passkey && !code && <Notice text="This browser cannot use your passkey. Do this in the browser that you sign in with, or on the device that has it." />}
      {shown && <Notice text={trouble.text} />}
    </>
  );
}

function ByCode({ busy, first, refused, send }: { busy: boolean; first: boolean; refused?: Trouble; send: (code: string) => void }) {
  const [kind, setKind] = useState<CodeKind>("app");
  const [code, setCode] = useState("");
  const [trouble, setTrouble] = useState<string>();
  const field = useRef<HTMLInputElement>(null);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const cannot = codeTrouble(code, kind);
    setTrouble(cannot);
    if (cannot) field.current?.focus();
    else send(bare(code));
  };
  const change = (text: string) => {
    setCode(text);
    setTrouble(undefined);
  };
  const other = () => {
    change("");
    setKind(kind === "app" ? "recovery" : "app");
    field.current?.focus();
  };
  return (
    <form onSubmit={submit} noValidate className="stack">
      <CodeField ref={field} kind={kind} value={code} change={change} wrong={trouble} refused={refused} />
      <Acts>
        <Button kind={first ? "primary" : "quiet"} type="submit" busy={busy} data-testid="proof-code">
          Confirm with the code
        </Button>
        <Button kind="plain" onClick={other}>
          {kind === "app" ? "Use a recovery code" : "Use the app's code"}
        </Button>
      </Acts>
    </form>
  );
}
