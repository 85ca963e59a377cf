// The passkey was good, but it opens another computer than the one the person came from.
import { ButtonLink } from "@matrixos/look/Button.tsx";
import { doorOf } from "../../platform/places.ts";
import { Frame } from "../../ui/Frame.tsx";
import styles from "./login.module.css";

export function Another({ wanted, has }: { wanted: string; has: string }) {
  return (
    <Frame narrow>
      <div className={styles.column}>
        <h1>You are @{has}</h1>
        <p className={styles.lead}>
          That passkey belongs to @{has}, so it does not open the computer of @{wanted}. You are signed in and can open your own.
        </p>
        <ButtonLink kind="primary" size="large" href={doorOf(has)} data-testid="open-computer">
          Open my computer
        </ButtonLink>
      </div>
    </Frame>
  );
}
