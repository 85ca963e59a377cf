// What was just done in a part of the page: spoken, shown, and a place for the focus when the row that had it is gone.
import { useEffect, useRef } from "react";
import styles from "./part.module.css";

/** For so long after the act a vanished row is the act's doing, in milliseconds. */
const RECENT_MS = 3_000;

interface SaidProps {
  text: string;
  /** What the part shows now; another one means that rows may have come and gone. */
  shown: unknown;
  testid: string;
}

export function Said({ text, shown, testid }: SaidProps) {
  const line = useRef<HTMLParagraphElement>(null);
  const since = useRef(0);
  useEffect(() => {
    since.current = text ? Date.now() : 0;
  }, [text]);
  useEffect(() => {
    if (Date.now() - since.current < RECENT_MS && document.activeElement === document.body) line.current?.focus();
  }, [shown]);
  return (
    <p ref={line} role="status" tabIndex={-1} className={styles.said} data-testid={testid}>
      {text}
    </p>
  );
}
