// How it works, in the order it happens.
import { addressOf } from "../../platform/places.ts";
import styles from "./landing.module.css";

export function Steps() {
  return (
    <section className={styles.section} aria-labelledby="steps">
      <h2 id="steps">How it works</h2>
      <ol className={styles.steps}>
        <li>
          <h3>Choose a handle</h3>
          <p>
            Say <b>hamed</b>, and your computer lives at <span className={styles.mono}>{addressOf("hamed")}</span>.
          </p>
        </li>
        <li>
          <h3>Make a passkey</h3>
          <p>Your fingerprint, face or screen lock. No e-mail, no password, no card.</p>
        </li>
        <li>
          <h3>Use your computer</h3>
          <p>It starts while you watch, and your desktop opens. Come back from any device.</p>
        </li>
      </ol>
    </section>
  );
}
