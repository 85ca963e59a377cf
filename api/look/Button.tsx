// The one button. `ButtonLink` looks the same and goes somewhere; `IconButton` is a square with a spoken name.
import type { AnchorHTMLAttributes, ButtonHTMLAttributes, ReactNode, Ref } from "react";
import styles from "./button.module.css";

export interface Looks {
  /** `danger` is for acts that take something away for good. */
  kind?: "primary" | "quiet" | "plain" | "danger";
  size?: "normal" | "large";
}

function classes({ kind = "quiet", size = "normal" }: Looks, more = ""): string {
  return [styles.button, styles[kind], size === "large" ? styles.large : "", more].filter(Boolean).join(" ");
}

type ButtonProps = Looks &
  Omit<ButtonHTMLAttributes<HTMLButtonElement>, "disabled"> & {
    /** Its act is under way: it stays focusable, is announced as unavailable, and does nothing when pressed. */
    busy?: boolean;
    ref?: Ref<HTMLButtonElement>;
  };

export function Button({ kind, size, busy = false, className, onClick, type = "button", ...rest }: ButtonProps) {
  return (
    <button
      {...rest}
      type={type}
      className={classes({ kind, size }, className)}
      aria-disabled={busy || undefined}
      onClick={(event) => (busy ? event.preventDefault() : onClick?.(event))}
    />
  );
}

type ButtonLinkProps = Looks & AnchorHTMLAttributes<HTMLAnchorElement> & { href: string };

export function ButtonLink({ kind, size, className, ...rest }: ButtonLinkProps) {
  return <a {...rest} className={classes({ kind, size }, className)} />;
}

type IconButtonProps = Omit<ButtonHTMLAttributes<HTMLButtonElement>, "aria-label" | "children"> & {
  /** What it does; spoken, and shown on hover. */
  label: string;
  children: ReactNode;
  ref?: Ref<HTMLButtonElement>;
};

export function IconButton({ label, className = "", type = "button", ...rest }: IconButtonProps) {
  return <button {...rest} type={type} aria-label={label} title={label} className={`${styles.button} ${styles.icon} ${className}`} />;
}
