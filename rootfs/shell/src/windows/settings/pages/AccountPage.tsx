// The account: passkeys, sessions and the rest belong to the platform, on a page of its own that this one leads to.
import { ExternalLink } from "lucide-react";
import { ButtonLink } from "@matrixos/look/Button.tsx";
import { useHandle } from "../../../desktop/handle.ts";
import { useOnPlatform } from "../../../desktop/place.ts";
import styles from "../settings.module.css";

/** The platform answers this one itself, at every computer's address, and leads to its account page. */
const ACCOUNT = "/.matrixos/account";

export function AccountPage() {
  const handle = useHandle();
  if (!useOnPlatform()) {
    return (
      <div className={styles.form}>
        <p className={styles.lead}>This computer runs by itself and has no accounts. Whoever has its token (MATRIX_AUTH_TOKEN, where it was installed) can use it; to sign everybody out, change the token and restart it.</p>
      </div>
    );
  }
  return (
    <div className={styles.form}>
      <dl className={styles.facts}>
        <div>
          <dt>Handle</dt>
          <dd>{handle}</dd>
        </div>
        <div>
          <dt>Address</dt>
          <dd>{location.host}</dd>
        </div>
      </dl>
      <p className={styles.lead}>Passkeys, the authenticator app, recovery codes, who is signed in where, your AI budget and key, taking everything along, and deleting the account: all of it is on your account page.</p>
      <p className={styles.acts}>
        <ButtonLink kind="primary" href={ACCOUNT} target="_blank" rel="noopener" data-testid="account-link">
          Open my account
          <ExternalLink size={16} strokeWidth={1.5} aria-hidden="true" />
        </ButtonLink>
      </p>
    </div>
  );
}
