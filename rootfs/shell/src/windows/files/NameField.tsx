// A name being given, to a new folder or to a file in place of its old one. Enter keeps it, Esc and leaving take it back.
import { useEffect, useId, useRef, useState, type KeyboardEvent } from "react";
import { nameProblem } from "./paths.ts";
import styles from "./files.module.css";

interface Props {
  label: string;
  initial: string;
  onName: (name: string) => void;
  /** `byKey`: with Esc, so that the focus has nowhere to be yet. */
  onCancel: (byKey: boolean) => void;
}

export function NameField({ label, initial, onName, onCancel }: Props) {
  const [name, setName] = useState(initial);
  const [problem, setProblem] = useState<string>();
  const field = useRef<HTMLInputElement>(null);
  const problemId = useId();

  useEffect(() => {
    field.current?.focus();
    // The ending of a file's name usually stays.
    const dot = initial.lastIndexOf(".");
    field.current?.setSelectionRange(0, dot > 0 ? dot : initial.length);
  }, [initial]);

  const onKeyDown = (event: KeyboardEvent) => {
    event.stopPropagation();
    if (event.key === "Escape") return onCancel(true);
    if (event.key !== "Enter") return;
    const found = nameProblem(name);
    setProblem(found);
    if (found) return;
    if (name === initial) onCancel(true);
    else onName(name);
  };

  return (
    <span className={styles.naming}>
      <input
        ref={field}
        className={styles.field}
        aria-label={label}
        aria-invalid={problem !== undefined}
        aria-describedby={problem && problemId}
        autoComplete="off"
        autoCapitalize="off"
        spellCheck={false}
        value={name}
        onChange={(event) => setName(event.target.value)}
        onKeyDown={onKeyDown}
        onBlur={() => onCancel(false)}
      />
      {problem && (
        <span id={problemId} className={styles.problem} role="alert">
          {problem}
        </span>
      )}
    </span>
  );
}
