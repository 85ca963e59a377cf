// A person's colours, made from their handle alone.
import { hueOf } from "@matrixos/look/hue.ts";
import styles from "./avatar.module.css";

export function Avatar({ handle, size }: { handle: string; size: number }) {
  const hue = hueOf(handle);
  return (
    <span
      className={styles.avatar}
      style={{ width: size, height: size, fontSize: size * 0.44, background: `linear-gradient(145deg, oklch(0.62 0.12 ${hue}), oklch(0.45 0.11 ${(hue + 50) % 360}))` }}
      aria-hidden="true"
    >
      {handle[0]}
    </span>
  );
}
