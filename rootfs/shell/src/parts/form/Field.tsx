// The parts of a form: each has a label, perhaps a hint, and what is wrong with it when something is.
import { useId, type InputHTMLAttributes, type ReactNode, type SelectHTMLAttributes, type TextareaHTMLAttributes } from "react";
import styles from "./form.module.css";

interface Said {
  label: string;
  hint?: ReactNode;
  wrong?: string | undefined;
}

interface Ids {
  id: string;
  "aria-describedby": string | undefined;
  "aria-invalid": boolean;
}

export function Field({ label, hint, wrong, children }: Said & { children: (ids: Ids) => ReactNode }) {
  const id = useId();
  const said = wrong ?? hint;
  return (
    <div className={styles.field}>
      <label htmlFor={id}>{label}</label>
      {children({ id, "aria-describedby": said ? `${id}-said` : undefined, "aria-invalid": wrong !== undefined })}
      {said && (
        <p id={`${id}-said`} className={wrong ? styles.wrong : styles.hint}>
          {said}
        </p>
      )}
    </div>
  );
}

export function TextField({ label, hint, wrong, onText, ...input }: Said & { onText: (text: string) => void } & InputHTMLAttributes<HTMLInputElement>) {
  return (
    <Field label={label} hint={hint} wrong={wrong}>
      {(ids) => <input className={styles.input} autoComplete="off" {...input} {...ids} onChange={(event) => onText(event.target.value)} />}
    </Field>
  );
}

export function AreaField({ label, hint, wrong, onText, ...area }: Said & { onText: (text: string) => void } & TextareaHTMLAttributes<HTMLTextAreaElement>) {
  return (
    <Field label={label} hint={hint} wrong={wrong}>
      {(ids) => <textarea {...area} {...ids} className={`${styles.input} ${styles.area} ${area.className ?? ""}`} onChange={(event) => onText(event.target.value)} />}
    </Field>
  );
}

export function SelectField({ label, hint, wrong, onChoice, children, ...select }: Said & { onChoice: (value: string) => void; children: ReactNode } & SelectHTMLAttributes<HTMLSelectElement>) {
  return (
    <Field label={label} hint={hint} wrong={wrong}>
      {(ids) => (
        <select className={styles.input} {...select} {...ids} onChange={(event) => onChoice(event.target.value)}>
          {children}
        </select>
      )}
    </Field>
  );
}

/** On or off. */
export function Switch({ label, hint, on, onChange }: { label: string; hint?: ReactNode; on: boolean; onChange: (on: boolean) => void }) {
  const id = useId();
  return (
    <div className={styles.switch}>
      <label htmlFor={id}>{label}</label>
      <input id={id} type="checkbox" role="switch" checked={on} aria-describedby={hint ? `${id}-said` : undefined} onChange={(event) => onChange(event.target.checked)} />
      {hint && (
        <p id={`${id}-said`} className={styles.hint}>
          {hint}
        </p>
      )}
    </div>
  );
}

interface Option<T> {
  value: T;
  name: string;
  hint?: string;
}

/** One of a few, all of them in view: `row` for short names, else one beneath the other with a word about each. */
export function Choice<T extends string>({ label, options, value, onChange, row = false }: { label: string; options: readonly Option<T>[]; value: T; onChange: (value: T) => void; row?: boolean }) {
  const id = useId();
  return (
    <fieldset className={row ? styles.segments : styles.choice}>
      <legend>{label}</legend>
      <div className={styles.options}>
        {options.map((option) => (
          <label key={option.value} className={styles.option}>
            <input type="radio" name={id} value={option.value} checked={option.value === value} onChange={() => onChange(option.value)} />
            <span>{option.name}</span>
            {option.hint && <small>{option.hint}</small>}
          </label>
        ))}
      </div>
    </fieldset>
  );
}
