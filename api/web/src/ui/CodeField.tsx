// The field for a code: six digits from the app, or a recovery code, each with the keyboard and the filling-in it needs.
import type { Ref } from "react";
import { Field } from "./Field.tsx";

export type CodeKind = "app" | "recovery";

interface CodeFieldProps {
  kind: CodeKind;
  value: string;
  wrong?: string;
  hint?: string;
  change: (text: string) => void;
  ref?: Ref<HTMLInputElement>;
}

export function CodeField({ kind, value, wrong, hint, change, ref }: CodeFieldProps) {
  const app = kind === "app";
  return (
    <Field
      ref={ref}
      mono
      name="code"
      label={app ? "Code from your authenticator app" : "Recovery code"}
      hint={hint ?? (app ? "Six digits, a new code every 30 seconds." : "One of the ten that you saved. Each works once.")}
      wrong={wrong}
      value={value}
      onChange={(event) => change(event.target.value)}
      inputMode={app ? "numeric" : "text"}
      autoComplete={app ? "one-time-code" : "off"}
      autoCapitalize="none"
      autoCorrect="off"
      spellCheck={false}
      maxLength={64}
      data-testid="code-input"
    />
  );
}
