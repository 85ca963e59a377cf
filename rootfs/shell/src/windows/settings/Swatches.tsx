// Colours to choose from, and any other by the browser's own picker.
import { Check } from "lucide-react";
import { useId } from "react";
import styles from "./settings.module.css";

export interface Swatch {
  value: string;
  name: string;
  /** What it is drawn with. */
  paint: string;
}

interface Props {
  label: string;
  swatches: readonly Swatch[];
  /** Nothing when something that is no colour was chosen. */
  value: string | undefined;
  onChange: (value: string) => void;
  wide?: boolean;
}

export function Swatches({ label, swatches, value, onChange, wide = false }: Props) {
  const id = useId();
  const own = value !== undefined && value !== "" && !swatches.some((swatch) => swatch.value === value);
  return (
    <fieldset className={styles.swatches} data-wide={wide}>
      <legend>{label}</legend>
      <div className={styles.row}>
        {swatches.map((swatch) => (
          <label key={swatch.value} className={styles.swatch} title={swatch.name} style={{ background: swatch.paint }}>
            <input type="radio" name={id} checked={swatch.value === value} aria-label={swatch.name} onChange={() => onChange(swatch.value)} />
            <Check aria-hidden="true" />
          </label>
        ))}
        <label className={styles.custom} data-chosen={own}>
          {/* While its picker is dragged it says each colour: the last one counts, when it is closed. */}
          <input type="color" aria-label={`${label}: another colour`} value={own ? value : "#0a7c52"} ref={onLastChange(onChange)} readOnly />
          <span>Another</span>
        </label>
      </div>
    </fieldset>
  );
}

/** React's `onChange` is the browser's `input`; the browser's `change` comes once, at the end. */
function onLastChange(act: (value: string) => void) {
  return (input: HTMLInputElement | null) => {
    if (!input) return;
    const done = () => act(input.value);
    input.addEventListener("change", done);
    return () => input.removeEventListener("change", done);
  };
}
