// How one signs in: passkeys, the authenticator app, recovery codes.
import { ShieldAlert } from "lucide-react";
import * as api from "../../platform/api.ts";
import type { Security } from "../../platform/wire.ts";
import { When } from "../../ui/States.tsx";
import { useLoaded } from "../../ui/useLoaded.ts";
import { AuthenticatorApp } from "./AuthenticatorApp.tsx";
import { Part } from "./Part.tsx";
import { Passkeys } from "./Passkeys.tsx";
import styles from "./part.module.css";

interface WaysInProps {
  handle: string;
  version: number;
  changed: () => void;
}

export function WaysIn({ handle, version, changed }: WaysInProps) {
  const security = useLoaded(api.security, version);
  return (
    <>
      <Part title="Passkeys" about="The fingerprint, face or screen lock of a device opens your computer. There is no password." testid="passkeys">
        <When loaded={security}>{(value) => <Passkeys security={value} changed={changed} advice={<Advice security={value} />} />}</When>
      </Part>
      {security.is === "ready" && (
        <Part title="Authenticator app" about="Signs you in with a code from your phone where a passkey is not at hand." testid="app">
          <AuthenticatorApp handle={handle} security={security.value} changed={changed} />
        </Part>
      )}
    </>
  );
}

/** One way in is one lost device away from none. */
function Advice({ security: { passkeys, totp } }: { security: Security }) {
  if (passkeys.length + (totp ? 1 : 0) > 1) return null;
  return (
    <p className={styles.advice} data-testid="one-way-in">
      <ShieldAlert size={20} strokeWidth={1.5} aria-hidden />
      <span>You have one way to sign in. Add another passkey or an authenticator app, so that a lost device does not lock you out.</span>
    </p>
  );
}

