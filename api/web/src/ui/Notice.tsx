// What went wrong, said once and kept in view, with what can be done about it.
import { CircleAlert } from "lucide-react";
import type { ReactNode, Ref } from "react";
import styles from "./notice.module.css";

interface NoticeProps {
  text: string;
  /** Links or buttons that help. */
  children?: ReactNode;
  ref?: Ref<HTMLDivElement>;
}

export function Notice({ text, children, ref }: NoticeProps) {
  return (
    <div className={styles.notice} role="alert" ref={ref} data-testid="notice">
      <CircleAlert size={20} strokeWidth={1.5} aria-hidden />
      <div className={styles.body}>
        <p>{text}</p>
        {children}
      </div>
    </div>
  );
}
