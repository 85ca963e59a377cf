// A labelled line of text with a hint, and what is wrong with it when something is.
import { type InputHTMLAttributes, type Ref, useId } from "react";
import styles from "./field.module.css";

interface FieldProps extends Omit<InputHTMLAttributes<HTMLInputElement>, "id" | "aria-describedby" | "aria-invalid"> {
  label: string;
  hint?: string;
  wrong?: string;
  /** Codes are easier to compare in a face of equal widths. */
  mono?: boolean;
  ref?: Ref<HTMLInputElement>;
}

export function Field({ label, hint, wrong, mono = false, ...input }: FieldProps) {
  const id = useId();
  const said = wrong ?? hint;
  return (
    <div className={styles.field}>
      <label htmlFor={id}>{label}</label>
      <input {...input} id={id} className={mono ? styles.mono : undefined} aria-invalid={wrong !== undefined} aria-describedby={said && `${id}-said`} />
      {said && (
        <p id={`${id}-said`} className={wrong ? styles.wrong : styles.hint} data-testid={wrong && "field-wrong"}>
          {said}
        </p>
      )}
    </div>
  );
}
