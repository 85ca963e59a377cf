// An app has crashed: what it says, and what can be done.
import { TriangleAlert, X } from "lucide-react";
import { Button, IconButton } from "@matrixos/look/Button.tsx";
import type { Crash } from "./bridge.ts";
import styles from "./app.module.css";

interface Props {
  name: string;
  crash: Crash;
  onFix: () => void;
  onAgain: () => void;
  onClose: () => void;
}

export function Crashed({ name, crash: { error, line }, onFix, onAgain, onClose }: Props) {
  return (
    <div className={styles.crash} role="alert">
      <TriangleAlert className={styles.warn} aria-hidden="true" />
      <div className={styles.words}>
        <p className={styles.title}>Something in {name} went wrong</p>
        <p className={styles.error}>
          {error || "It does not say what."}
          {line > 0 && ` (line ${line})`}
        </p>
        <div className={styles.acts}>
          <Button kind="primary" onClick={onFix}>
            Fix it
          </Button>
          <Button onClick={onAgain}>Start it again</Button>
        </div>
      </div>
      <IconButton label="Close this" className={styles.close} onClick={onClose}>
        <X aria-hidden="true" />
      </IconButton>
    </div>
  );
}
