// In the composer's place where nothing can be said: why, and what can be done instead.
import { Eye } from "lucide-react";
import { Button } from "@matrixos/look/Button.tsx";
import { openWindow } from "../../desktop/open.ts";
import styles from "./composer.module.css";

export function ReadOnly({ channel, onNew }: { channel: string; onNew: () => void }) {
  return (
    <div className={styles.composer}>
      <section className={styles.readOnly} aria-label="Only to read">
        <Eye aria-hidden="true" />
        <p>
          Somebody else holds this conversation with your AI over {channel}, so it is only to read here. They are told what your public profile says, and nothing else.
        </p>
        <div className={styles.acts}>
          <Button kind="primary" onClick={onNew}>
            New conversation
          </Button>
          <Button onClick={() => openWindow("settings", "profile")}>See the profile</Button>
        </div>
      </section>
    </div>
  );
}
