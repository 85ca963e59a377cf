// A row of the keys that a phone's keyboard lacks. Pressing one leaves the keyboard open.
import { HELPER_KEYS } from "./keys.ts";
import styles from "./terminal.module.css";

interface Props {
  ctrl: boolean;
  onCtrl: (held: boolean) => void;
  onType: (text: string) => void;
}

export function HelperKeys({ ctrl, onCtrl, onType }: Props) {
  return (
    <div className={styles.keys} role="toolbar" aria-label="Keys">
      {HELPER_KEYS.map((key) => (
        <button
          key={key.name}
          type="button"
          className={styles.key}
          aria-label={"says" in key ? key.says : key.name}
          aria-pressed={key.sends === undefined ? ctrl : undefined}
          onPointerDown={(event) => event.preventDefault()}
          onClick={() => (key.sends === undefined ? onCtrl(!ctrl) : onType(key.sends))}
        >
          {key.name}
        </button>
      ))}
    </div>
  );
}
