// A conversation in which nothing was asked yet: a few things to begin with.
import { say } from "./chat.ts";
import styles from "./chat.module.css";

const STARTERS = ["Build me an expense tracker", "What can you do for me?", "Make my desktop look like autumn"];

export function Starters({ empty }: { empty: boolean }) {
  return (
    <div className={styles.starters}>
      {empty && (
        <>
          <p className={styles.lead}>What shall we do?</p>
          <p className={styles.hint}>Your AI builds apps, works with your files, and looks after things for you.</p>
        </>
      )}
      {STARTERS.map((text) => (
        <button key={text} type="button" className={styles.starter} onClick={() => say(text)}>
          {text}
        </button>
      ))}
    </div>
  );
}
