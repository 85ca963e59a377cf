// A recovery code was used: how many are left, before the computer opens.
import { Button, ButtonLink } from "@matrixos/look/Button.tsx";
import { useEffect, useRef } from "react";
import type { CodeArrival } from "../../platform/wire.ts";
import styles from "./login.module.css";

export function FewCodes({ arrival: { handle, recoveryCodesLeft = 0 }, open }: { arrival: CodeArrival; open: (handle: string) => void }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  return (
    <div className={styles.column} data-testid="few-codes">
      <h1 ref={heading} tabIndex={-1}>
        You are signed in
      </h1>
      <p className={styles.lead}>{left(recoveryCodesLeft)} If your authenticator app is lost, set it up anew on your account's page now, or add a passkey.</p>
      <div className={styles.row}>
        <Button kind="primary" onClick={() => open(handle)} data-testid="open-computer">
          Open my computer
        </Button>
        <ButtonLink href="/account">My account</ButtonLink>
      </div>
    </div>
  );
}

function left(count: number): string {
  if (count === 0) return "That was your last recovery code.";
  return count === 1 ? "That recovery code is used up. One is left." : `That recovery code is used up. ${count} are left.`;
}
