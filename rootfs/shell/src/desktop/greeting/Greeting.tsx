// A few words on the first visit, by handle; on a phone also what its home shows.
import { X } from "lucide-react";
import { Button, IconButton } from "@matrixos/look/Button.tsx";
import type { Kind } from "../windows/kinds.ts";
import styles from "./greeting.module.css";

interface Props {
  handle: string;
  /** The very first visit: explain what this is. */
  first: boolean;
  onOpen: (kind: Kind) => void;
  onClose: () => void;
}

export function Greeting({ handle, first, onOpen, onClose }: Props) {
  return (
    <section className={styles.greeting} aria-label="Welcome">
      {first && (
        <IconButton label="Close the greeting" className={styles.close} onClick={onClose}>
          <X aria-hidden="true" />
        </IconButton>
      )}
      <p className={styles.hello}>Hello, {handle || "there"}.</p>
      {first && (
        <>
          <p className={styles.text}>
            This computer is yours: a real Linux machine with an AI that builds what you ask for. Close this page whenever you like, it carries
            on.
          </p>
          <div className={styles.acts}>
            <Button kind="primary" onClick={() => onOpen("chat")}>
              Talk to my AI
            </Button>
            <Button onClick={() => onOpen("terminal")}>Open a terminal</Button>
            <Button onClick={() => onOpen("files")}>See my files</Button>
          </div>
        </>
      )}
    </section>
  );
}
