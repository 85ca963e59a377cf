// A window with the real desktop in it: the film of the tour that the tests take (`scripts/demo`), which stands still for those who
// asked for less motion.
import { addressOf } from "../../platform/places.ts";
import styles from "./showcase.module.css";
import picture from "./desktop.png";
import film from "./tour.webm";

const STILL = matchMedia("(prefers-reduced-motion: reduce)");

export function Showcase() {
  return (
    <figure className={styles.window}>
      <figcaption className={styles.bar}>
        <span className={styles.lights} aria-hidden="true">
          <i />
          <i />
          <i />
        </span>
        <span className={styles.address}>{addressOf("you")}</span>
      </figcaption>
      <video
        className={styles.picture}
        src={film}
        poster={picture}
        width={1440}
        height={900}
        aria-label="A film without sound: somebody asks for an expense tracker, uses it, looks into a terminal, and has the desktop turn dark"
        autoPlay={!STILL.matches}
        controls={STILL.matches}
        muted
        loop
        playsInline
        preload="metadata"
      />
    </figure>
  );
}
