// The window is to be closed, and what was typed is not in the file.
import { Button } from "@matrixos/look/Button.tsx";
import { Acts, Dialog } from "@matrixos/look/Dialog.tsx";
import type { Document } from "./document.ts";
import styles from "./editor.module.css";

interface Props {
  name: string;
  other: Document["other"];
  saving: boolean;
  problem: string | undefined;
  onSave: () => void;
  onDiscard: () => void;
  onStay: () => void;
}

export function Leaving({ name, other, saving, problem, onSave, onDiscard, onStay }: Props) {
  return (
    <Dialog title={`Save ${name} before it is closed?`} close={onStay}>
      <p>{wordsFor(other)}</p>
      {problem && (
        <p className={styles.problem} role="alert">
          Not saved. {problem}
        </p>
      )}
      <Acts>
        <Button kind="primary" data-first busy={saving} data-testid="leave-save" onClick={onSave}>
          {saving ? "Saving" : "Save"}
        </Button>
        <Button kind="danger" data-testid="leave-discard" onClick={onDiscard}>
          Discard
        </Button>
        <Button kind="plain" onClick={onStay}>
          Cancel
        </Button>
      </Acts>
    </Dialog>
  );
}

function wordsFor(other: Document["other"]): string {
  if (other === null) return "The file was deleted or moved. Saving makes it again; discarding gives up what you typed.";
  if (other !== undefined) return "The file was changed on the disk while you were typing. Saving replaces that; discarding leaves it as it is on the disk.";
  return "What you typed since it was last saved is not in the file. Discarding gives it up.";
}
