// The field for a code: six digits from the app, or a recovery code, each with the keyboard and the filling-in it needs.
import { type RefObject, useEffect } from "react";
import type { Trouble } from "../platform/problem.ts";
import { Field } from "./Field.tsx";

export type CodeKind = "app" | "recovery";

interface CodeFieldProps {
  kind: CodeKind;
  value: string;
  /** Why it cannot be right. */
  wrong?: string;
  /** What the platform said last; a refused code is shown here and selected, so that typing replaces it. */
  refused?: Trouble;
  hint?: string;
  change: (text: string) => void;
  ref: RefObject<HTMLInputElement | null>;
}

export function CodeField({ kind, value, wrong, refused, hint, change, ref }: CodeFieldProps) {
  const app = kind === "app";
  const rejected = refused?.code === "code_rejected";
  useEffect(() => {
    if (refused?.code === "code_rejected") ref.current?.select();
  }, [refused, ref]);
  return (
    <Field
      ref={ref}
      mono
      name="code"
      label={app ? "Code from your authenticator app" : "Recovery code"}
      hint={hint ?? (app ? "Six digits, a new code every 30 seconds." : "One of the ten that you saved. Each works once.")}
      wrong={wrong ?? (rejected ? refused.text : undefined)}
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
