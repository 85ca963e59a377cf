// The AI asks whether it may, and its chat is not to be seen.
import { Button } from "@matrixos/look/Button.tsx";
import { useChat } from "../windows/chat/chat.ts";
import styles from "./desktop.module.css";

export function Asked({ seen, onOpen }: { seen: boolean; onOpen: () => void }) {
  const { approvals } = useChat();
  const question = seen ? undefined : approvals.at(-1);
  return (
    <div className={styles.news} role="status" data-shown={question !== undefined}>
      {question && (
        <>
          <p>Your AI asks: {question.label}</p>
          <Button kind="primary" onClick={onOpen}>
            Look at it
          </Button>
        </>
      )}
    </div>
  );
}
