// Somebody who is signed in came to the sign-in page.
import { Button, ButtonLink } from "@matrixos/look/Button.tsx";
import styles from "./login.module.css";

export function SignedIn({ handle, open }: { handle: string; open: (handle: string) => void }) {
  return (
    <div className={styles.column}>
      <h1>You are signed in</h1>
      <p className={styles.lead}>You are @{handle} in this browser. To use another account, sign out on your account's page first.</p>
      <div className={styles.row}>
        <Button kind="primary" onClick={() => open(handle)} data-testid="open-computer">
          Open my computer
        </Button>
        <ButtonLink href="/account">My account</ButtonLink>
      </div>
    </div>
  );
}
