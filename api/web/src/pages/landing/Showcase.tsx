// A window with the real desktop in it. The picture is taken by the end-to-end test; a checkout without it shows the bare wallpaper.
import { Mark } from "@matrixos/look/Mark.tsx";
import { addressOf } from "../../platform/places.ts";
import styles from "./showcase.module.css";

const [picture] = Object.values(import.meta.glob<string>("./desktop.png", { eager: true, query: "?url", import: "default" }));

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
      {picture ? <img className={styles.picture} src={picture} alt="A desktop with a terminal and a file browser, in a browser window" width={1440} height={900} /> : <Wallpaper />}
    </figure>
  );
}

function Wallpaper() {
  return (
    <div className={styles.wallpaper} aria-hidden="true">
      <Mark size={72} />
    </div>
  );
}
