// The account exists and its computer starts meanwhile: the recovery codes, before the person goes there.
import { useEffect, useRef } from "react";
import { RecoveryCodes } from "../../ui/RecoveryCodes.tsx";
import styles from "./signup.module.css";

export function KeepCodes({ handle, codes, done }: { handle: string; codes: readonly string[]; done: () => void }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  return (
    <div className={styles.column}>
      <h1 ref={heading} tabIndex={-1}>
        Save your recovery codes
      </h1>
      <RecoveryCodes handle={handle} codes={codes} act="Go to my computer" done={done} />
    </div>
  );
}
