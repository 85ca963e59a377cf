// A quantity beside its limit, as a bar and in words.
import type { Gauge } from "../../gateway/system.ts";
import { bytes } from "../../parts/units.ts";
import styles from "./system.module.css";

/** From this part on a bar warns. */
const TIGHT = 0.85;

export function Bar({ name, gauge: { used, limit } }: { name: string; gauge: Gauge }) {
  const part = used !== null && limit ? Math.min(1, used / limit) : undefined;
  return (
    <div className={styles.gauge}>
      <div className={styles.caption}>
        <span>{name}</span>
        <span className={styles.figures}>{wordsFor(used, limit)}</span>
      </div>
      {part !== undefined && (
        <div className={styles.track} role="meter" aria-label={name} aria-valuemin={0} aria-valuemax={100} aria-valuenow={Math.round(part * 100)}>
          <div className={styles.fill} data-tight={part >= TIGHT} style={{ transform: `scaleX(${part})` }} />
        </div>
      )}
    </div>
  );
}

function wordsFor(used: number | null, limit: number | null): string {
  if (used === null) return limit === null ? "unknown" : `limit ${bytes(limit)}`;
  return limit === null ? `${bytes(used)} used, no limit told` : `${bytes(used)} of ${bytes(limit)}`;
}
