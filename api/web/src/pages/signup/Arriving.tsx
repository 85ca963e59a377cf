// The account exists: the computer starts, and then its desktop opens.
import { useEffect, useRef } from "react";
import { addressOf, doorOf } from "../../platform/places.ts";
import { Starting } from "../../ui/Starting.tsx";
import { useStart } from "../../ui/useStart.ts";
import styles from "./signup.module.css";

export function Arriving({ handle }: { handle: string }) {
  const start = useStart();
  const heading = useRef<HTMLHeadingElement>(null);
  const running = start.computer.state === "running";
  useEffect(() => heading.current?.focus(), []);
  // `replace`, so that the back button leads from the desktop to where the person was before they signed up.
  useEffect(() => {
    if (running) location.replace(doorOf(handle));
  }, [running, handle]);
  return (
    <div className={styles.column}>
      <h1 ref={heading} tabIndex={-1}>
        Welcome, @{handle}
      </h1>
      <p className={styles.lead}>
        Your computer is on its way to <span className={styles.mono}>{addressOf(handle)}</span>
      </p>
      <Starting start={start} />
    </div>
  );
}
