// The sign-in was good, but it opens another computer than the one the person came from.
import { ButtonLink } from "@matrixos/look/Button.tsx";
import { doorOf } from "../../platform/places.ts";
import styles from "./login.module.css";

export function Another({ wanted, has }: { wanted: string; has: string }) {
  return (
    <div className={styles.column}>
      <h1>You are @{has}</h1>
      <p className={styles.lead}>
        You signed in as @{has}, and that does not open the computer of @{wanted}. You can open your own.
      </p>
      <ButtonLink kind="primary" size="large" href={doorOf(has)} data-testid="open-computer">
        Open my computer
      </ButtonLink>
    </div>
  );
}
