// Sign in: one button. Browsers that can offer the passkey in a field of their own do that too.
import { Button } from "@matrixos/look/Button.tsx";
import { Fingerprint } from "lucide-react";
import { passkeysSupported } from "../../platform/passkey.ts";
import { Frame } from "../../ui/Frame.tsx";
import { Notice } from "../../ui/Notice.tsx";
import { useTitle } from "../../ui/useTitle.ts";
import { Another } from "./Another.tsx";
import { Offered } from "./Offered.tsx";
import styles from "./login.module.css";
import { useLogin } from "./useLogin.ts";

interface LoginProps {
  /** Whose computer the person was looking at when they chose to sign in. */
  to?: string;
}

export function Login({ to }: LoginProps) {
  useTitle("Sign in");
  const { act, problem, other, signIn, offer } = useLogin(to);
  if (other) return <Another wanted={to ?? other} has={other} />;
  return (
    <Frame narrow>
      <div className={styles.column}>
        <h1>{to ? `Sign in as @${to}` : "Sign in"}</h1>
        <p className={styles.lead}>Your passkey opens your computer. There is no password.</p>
        <Button kind="primary" size="large" busy={act !== "idle"} onClick={signIn} data-testid="use-passkey">
          <Fingerprint size={20} strokeWidth={1.5} aria-hidden />
          {act === "idle" ? "Use my passkey" : act === "passkey" ? "Waiting for your passkey…" : "Opening your computer…"}
        </Button>
        {offer && <Offered offer={offer} />}
        {(problem ?? (!passkeysSupported() && NO_PASSKEYS)) && <Notice text={problem ?? NO_PASSKEYS} />}
        <p className={styles.lead}>
          New here? <a href="/signup">Create your computer</a>
        </p>
      </div>
    </Frame>
  );
}

const NO_PASSKEYS = "This browser cannot use passkeys here. Open this page in a current Chrome, Safari, Edge or Firefox.";
