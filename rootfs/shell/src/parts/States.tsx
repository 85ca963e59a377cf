// Loading, empty, failed: the same three faces in every window.
import { Button } from "@matrixos/look/Button.tsx";
import type { ReactNode } from "react";
import styles from "./states.module.css";

export function Loading({ what }: { what: string }) {
  return (
    <div className={`${styles.state} ${styles.late}`} role="status">
      <span className={styles.dots} aria-hidden="true">
        <i />
        <i />
        <i />
      </span>
      <p className={styles.text}>Loading {what}</p>
    </div>
  );
}

interface Props {
  icon?: ReactNode;
  title: string;
  text?: string;
  children?: ReactNode;
}

export function Empty({ icon, title, text, children }: Props) {
  return (
    <div className={styles.state}>
      {icon}
      <p className={styles.title}>{title}</p>
      {text && <p className={styles.text}>{text}</p>}
      {children}
    </div>
  );
}

export function Failed({ message, onRetry, act = "Try again" }: { message: string; onRetry: () => void; act?: string }) {
  return (
    <div className={styles.state} role="alert">
      <p className={styles.title}>{message}</p>
      <Button onClick={onRetry}>{act}</Button>
    </div>
  );
}
