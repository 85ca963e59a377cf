// Sign in: one button for the passkey, a field in which the browser offers it too, and a code where there is none.
import { Button } from "@matrixos/look/Button.tsx";
import { Fingerprint } from "lucide-react";
import { passkeysSupported } from "../../platform/passkey.ts";
import { Frame } from "../../ui/Frame.tsx";
import { Notice } from "../../ui/Notice.tsx";
import { useMe } from "../../ui/useMe.ts";
import { useTitle } from "../../ui/useTitle.ts";
import { Another } from "./Another.tsx";
import { ByCode } from "./ByCode.tsx";
import { FewCodes } from "./FewCodes.tsx";
import { SignedIn } from "./SignedIn.tsx";
import styles from "./login.module.css";
import { useLogin } from "./useLogin.ts";

interface LoginProps {
  /** Whose computer the person was looking at when they chose to sign in. */
  to?: string;
}

export function Login({ to }: LoginProps) {
  useTitle("Sign in");
  const visitor = useMe();
  const login = useLogin(to);
  const member = visitor.is === "member" && (to === undefined || to === visitor.me.handle) ? visitor.me : undefined;
  return (
    <Frame width="narrow">
      {login.other ? (
        <Another wanted={to ?? login.other} has={login.other} />
      ) : login.spent ? (
        <FewCodes arrival={login.spent} open={login.open} />
      ) : member && login.act === "idle" ? (
        <SignedIn handle={member.handle} open={login.open} />
      ) : (
        <Ways to={to} login={login} />
      )}
    </Frame>
  );
}

function Ways({ to, login }: LoginProps & { login: ReturnType<typeof useLogin> }) {
  const { act, problem, signIn } = login;
  const trouble = problem ?? (passkeysSupported() ? undefined : NO_PASSKEYS);
  return (
    <div className={styles.column}>
      <h1>{to ? `Sign in as @${to}` : "Sign in"}</h1>
      <p className={styles.lead}>Your passkey opens your computer. There is no password.</p>
      <Button kind="primary" size="large" busy={act !== "idle"} onClick={signIn} data-testid="use-passkey">
        <Fingerprint size={20} strokeWidth={1.5} aria-hidden />
        {act === "passkey" ? "Waiting for your passkey…" : act === "opening" ? "Opening your computer…" : "Use my passkey"}
      </Button>
      {trouble && <Notice text={trouble} />}
      <p className={styles.or}>
        <span>or</span>
      </p>
      <ByCode to={to} busy={act !== "idle"} offer={login.offer} send={login.signInByCode} problem={login.codeProblem} />
      <p className={styles.lead}>
        New here? <a href="/signup">Create your computer</a>
      </p>
    </div>
  );
}

const NO_PASSKEYS = "This browser cannot use passkeys here. Sign in with a code below, or open this page in a current Chrome, Safari, Edge or Firefox.";
