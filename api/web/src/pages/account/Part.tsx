// One part of the account page: what it is about, its rows, and what can be done.
import { type ReactNode, useId } from "react";
import styles from "./part.module.css";

export function Part({ title, about, children, testid }: { title: string; about: string; children: ReactNode; testid: string }) {
  const id = useId();
  return (
    <section className={styles.part} aria-labelledby={id} data-testid={testid}>
      <header>
        <h2 id={id}>{title}</h2>
        <p>{about}</p>
      </header>
      {children}
    </section>
  );
}

/** One thing in a list: an icon, its name, what is known about it, and its acts. */
export function Row({ icon, name, mark, aside, children }: { icon: ReactNode; name: string; mark?: string; aside: ReactNode; children?: ReactNode }) {
  return (
    <>
      <span className={styles.icon}>{icon}</span>
      <div className={styles.text}>
        <p className={styles.name}>
          {name}
          {mark && <span className={styles.mark}>{mark}</span>}
        </p>
        <p className={styles.aside}>{aside}</p>
      </div>
      {children && <div className={styles.acts}>{children}</div>}
    </>
  );
}
