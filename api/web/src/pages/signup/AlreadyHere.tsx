// Somebody who is signed in came (or came back) to the sign-up page.
import { ButtonLink } from "@matrixos/look/Button.tsx";
import { doorOf } from "../../platform/places.ts";
import styles from "./signup.module.css";

export function AlreadyHere({ handle }: { handle: string }) {
  return (
    <div className={styles.column}>
      <h1>You have a computer already</h1>
      <p className={styles.lead}>You are signed in as @{handle}. To create another one, sign out first.</p>
      <div className={styles.row}>
        <ButtonLink kind="primary" href={doorOf(handle)} data-testid="open-computer">
          Open my computer
        </ButtonLink>
        <ButtonLink href="/account">My account</ButtonLink>
      </div>
    </div>
  );
}
