// Something of the owner's that the computer has yet to take in, or did not take.
import { Button } from "@matrixos/look/Button.tsx";
import { useLink } from "../../gateway/link.ts";
import { say, takeBack } from "./chat.ts";
import type { Sending } from "./conversation.ts";
import { adviceOn } from "./errors.ts";
import styles from "./chat.module.css";

export function Unsent({ said: { text, requestId, refused } }: { said: Sending }) {
  const away = useLink() !== "connected";
  const advice = refused && adviceOn(refused.code);
  const again = () => {
    takeBack(requestId);
    say(text);
  };
  return (
    <li className={styles.mine} data-unsent="true">
      <span className="unseen">You said: </span>
      <p className={styles.said}>{text}</p>
      {!refused && <p className={styles.ahead}>{away ? "Is sent when your computer is back" : "Sending"}</p>}
      {refused && (
        <div className={styles.refused}>
          <p>
            {refused.message} {advice?.todo}
          </p>
          {advice?.again && <Button onClick={again}>Try again</Button>}
          <Button kind="plain" onClick={() => takeBack(requestId)}>
            Delete
          </Button>
        </div>
      )}
    </li>
  );
}
