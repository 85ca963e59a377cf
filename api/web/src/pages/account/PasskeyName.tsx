// The field in which a passkey gets its name, the same for a new one and for another name.
import { useRef, useState } from "react";
import type { Trouble } from "../../platform/problem.ts";
import { Field } from "../../ui/Field.tsx";

/** The name as it is typed. `unlessEmpty` goes on with it, or back to the field if there is none. */
export function usePasskeyName(begin: string | (() => string)) {
  const [name, setName] = useState(begin);
  const field = useRef<HTMLInputElement>(null);
  const unlessEmpty = (go: (name: string) => void) => {
    if (name.trim() === "") field.current?.focus();
    else go(name.trim());
  };
  return { name, setName, field, unlessEmpty };
}

/** A problem of the name is said at the field, every other one below it. */
export const besidesTheName = (problem?: Trouble) => (problem?.code === "name_invalid" ? undefined : problem);

interface PasskeyNameProps {
  of: ReturnType<typeof usePasskeyName>;
  problem?: Trouble | undefined;
  hint?: string;
}

export function PasskeyName({ of: { name, setName, field }, problem, hint }: PasskeyNameProps) {
  return (
    <Field
      ref={field}
      label="Name"
      hint={hint}
      wrong={problem?.code === "name_invalid" ? problem.text : undefined}
      value={name}
      onChange={(event) => setName(event.target.value)}
      onFocus={(event) => event.target.select()}
      maxLength={64}
      autoComplete="off"
      data-first
      data-testid="passkey-name"
    />
  );
}
