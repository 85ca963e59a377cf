// The uploads under way, at the foot of the window.
import { X } from "lucide-react";
import { IconButton } from "@matrixos/look/Button.tsx";
import type { Upload } from "./useUploads.ts";
import styles from "./files.module.css";

export function Uploads({ uploads, onForget }: { uploads: Upload[]; onForget: (id: number) => void }) {
  if (uploads.length === 0) return null;
  return (
    <ul className={styles.uploads} aria-label="Uploads">
      {uploads.map(({ id, name, part, error }) => (
        <li key={id} className={styles.upload}>
          <span className={styles.uploadName}>{name}</span>
          {error ? (
            <span className={styles.problem} role="alert">
              {error}
            </span>
          ) : (
            <progress className={styles.progress} value={part} max={1} aria-label={`Sending ${name}`} />
          )}
          <IconButton label={error ? "Dismiss" : `Cancel sending ${name}`} onClick={() => onForget(id)}>
            <X aria-hidden="true" />
          </IconButton>
        </li>
      ))}
    </ul>
  );
}
