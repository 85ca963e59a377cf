// A form around one draft: loading, failed, or the fields with their foot. Enter and Ctrl-S save.
import type { ReactNode } from "react";
import { Failed, Loading } from "../../parts/States.tsx";
import { SaveBar } from "../../parts/form/SaveBar.tsx";
import { useDraft, type Draft, type Source } from "../../parts/form/useDraft.ts";
import styles from "./settings.module.css";

interface Props<T> {
  source: Source<T>;
  what: string;
  /** Whether it cannot be saved as it is. */
  wrong?: (value: T) => boolean;
  children: (draft: Draft<T>) => ReactNode;
}

export function DraftForm<T>({ source, what, wrong, children }: Props<T>) {
  const drafted = useDraft(source);
  if (drafted.at === "loading") return <Loading what={what} />;
  if (drafted.at === "failed") return <Failed message={drafted.message} onRetry={drafted.again} />;
  const { draft } = drafted;
  const bad = wrong?.(draft.value) ?? false;
  const save = () => void (draft.dirty && !bad && draft.save());
  return (
    <form
      className={styles.form}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        save();
      }}
      onKeyDown={(event) => {
        if (!(event.ctrlKey || event.metaKey) || event.altKey || event.key.toLowerCase() !== "s") return;
        event.preventDefault();
        save();
      }}
    >
      {children(draft)}
      <SaveBar draft={draft} wrong={bad} />
    </form>
  );
}
