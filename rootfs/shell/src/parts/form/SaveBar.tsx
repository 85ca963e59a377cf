// The foot of a form: how it stands with what was typed, and the two ways on.
import { Check, CircleAlert } from "lucide-react";
import { Button } from "@matrixos/look/Button.tsx";
import type { Draft } from "./useDraft.ts";
import styles from "./form.module.css";

interface Props {
  draft: Pick<Draft<unknown>, "dirty" | "saving" | "saved" | "problem" | "elsewhere" | "discard">;
  /** It cannot be saved as it is; the field says why. */
  wrong?: boolean;
}

export function SaveBar({ draft, wrong = false }: Props) {
  const words = wordsFor(draft);
  return (
    <div className={styles.save} data-news={words !== ""}>
      <p className={styles.state} role="status" data-problem={draft.problem !== undefined}>
        {draft.problem && <CircleAlert aria-hidden="true" />}
        {draft.saved && <Check aria-hidden="true" />}
        {words}
      </p>
      {draft.dirty && !draft.saving && (
        <Button kind="plain" onClick={draft.discard}>
          Discard
        </Button>
      )}
      <Button kind="primary" type="submit" busy={draft.saving || !draft.dirty || wrong}>
        {draft.saving ? "Saving" : "Save"}
      </Button>
    </div>
  );
}

function wordsFor({ dirty, saving, saved, problem, elsewhere }: Props["draft"]): string {
  if (problem) return `Not saved. ${problem}`;
  if (saving) return "Saving";
  if (elsewhere) return "This was changed elsewhere meanwhile. Saving replaces that; discarding shows it.";
  if (dirty) return "Changed, not saved yet.";
  return saved ? "Saved." : "";
}
