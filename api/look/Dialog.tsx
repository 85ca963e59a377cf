// A question in front of the page, on the browser's own <dialog>: it keeps the focus inside, makes the rest inert, and
// gives the focus back. (Radix's would need inline styles, which the pages' CSP forbids.)
import { type KeyboardEvent, type ReactNode, useId, useLayoutEffect, useRef } from "react";
import styles from "./dialog.module.css";

interface DialogProps {
  title: string;
  /** Escape and the system's "back" mean this; without it the dialog stays until its own buttons end it. */
  close?: () => void;
  children: ReactNode;
}

export function Dialog({ title, close, children }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useLayoutEffect(() => {
    const shown = dialog.current;
    shown?.showModal();
    shown?.querySelector<HTMLElement>("[data-first]")?.focus();
    return () => shown?.close();
  }, []);
  const keys = (event: KeyboardEvent) => {
    if (event.key !== "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    close?.();
  };
  // Closed by the browser in some other way: follow it, or open again if there is no way out yet.
  const closed = () => {
    if (dialog.current?.open) return;
    if (close) close();
    else dialog.current?.showModal();
  };
  return (
    <dialog ref={dialog} className={styles.dialog} aria-labelledby={id} onKeyDown={keys} onCancel={(event) => event.preventDefault()} onClose={closed} data-testid="dialog">
      <div className={styles.body}>
        <h2 id={id}>{title}</h2>
        {children}
      </div>
    </dialog>
  );
}

/** The buttons at a dialog's end, the act first. */
export function Acts({ children }: { children: ReactNode }) {
  return <div className={styles.acts}>{children}</div>;
}
