// The handle, the address it makes, and whether it is free.
import { Button } from "@matrixos/look/Button.tsx";
import { Check } from "lucide-react";
import type { Ref } from "react";
import type { Availability } from "../../platform/availability.ts";
import { addressOf } from "../../platform/places.ts";
import styles from "./handle.module.css";

interface HandleFieldProps {
  value: string;
  availability: Availability;
  /** The account is being made: the text stays as it is. */
  fixed: boolean;
  choose: (text: string) => void;
  /** Enter goes on with the passkey, as the page's main button does. */
  create: () => void;
  ref: Ref<HTMLInputElement>;
}

export function HandleField({ value, availability, fixed, choose, create, ref }: HandleFieldProps) {
  const wrong = availability.is === "refused";
  return (
    <div className={styles.field}>
      <label htmlFor="handle">Choose your handle</label>
      <div className={styles.box} data-wrong={wrong}>
        <span aria-hidden="true">@</span>
        <input
          id="handle"
          name="handle"
          ref={ref}
          value={value}
          readOnly={fixed}
          onChange={(event) => choose(event.target.value)}
          onKeyDown={(event) => event.key === "Enter" && !fixed && create()}
          placeholder="hamed"
          autoComplete="off"
          autoCapitalize="none"
          autoCorrect="off"
          spellCheck={false}
          inputMode="text"
          maxLength={64}
          aria-invalid={wrong}
          aria-describedby="handle-status"
          data-testid="handle-input"
          data-1p-ignore
        />
      </div>
      <div id="handle-status" role="status" className={styles.status} data-is={availability.is} data-testid="handle-status">
        <Said availability={availability} handle={value} />
      </div>
      {wrong && <Suggestions names={availability.suggestions} choose={choose} />}
    </div>
  );
}

function Said({ availability, handle }: { availability: Availability; handle: string }) {
  switch (availability.is) {
    case "empty":
      return <>It names your computer, and it stays. Letters a to z, digits and hyphens.</>;
    case "asking":
      return <>Looking it up…</>;
    case "free":
      return (
        <>
          <Check size={16} strokeWidth={2} aria-hidden />
          <span>
            Available. Your computer will live at <b>{addressOf(handle)}</b>
          </span>
        </>
      );
    case "refused":
    case "unknown":
      return <>{availability.why}</>;
  }
}

function Suggestions({ names, choose }: { names: readonly string[]; choose: (text: string) => void }) {
  if (names.length === 0) return null;
  return (
    <div className={styles.suggestions} role="group" aria-label="Suggestions">
      {names.map((name) => (
        <Button key={name} className={styles.chip} onClick={() => choose(name)} data-testid="suggestion">
          {name}
        </Button>
      ))}
    </div>
  );
}
