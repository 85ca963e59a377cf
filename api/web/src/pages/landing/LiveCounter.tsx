// How many computers run at this moment, as the platform counts them.
import { useEffect, useState } from "react";
import * as api from "../../platform/api.ts";
import type { Stats } from "../../platform/wire.ts";
import { running } from "../../platform/words.ts";
import styles from "./counter.module.css";

/** Time between two counts, in milliseconds. A page in the background does not ask. */
const COUNT_MS = 5_000;

export function LiveCounter() {
  const stats = useStats();
  const text = stats === "unknown" ? "The counter does not answer right now" : stats && running(stats.running);
  return (
    <p className={styles.counter} data-testid="live-counter">
      <span className={styles.dot} data-live={typeof stats === "object" && stats.running > 0} />
      {text ?? "Counting…"}
    </p>
  );
}

function useStats(): Stats | "unknown" | undefined {
  const [stats, setStats] = useState<Stats | "unknown">();
  useEffect(() => {
    const stop = new AbortController();
    const count = () => {
      if (document.hidden) return;
      api
        .stats(stop.signal)
        .then(setStats)
        .catch(() => stop.signal.aborted || setStats("unknown"));
    };
    count();
    const timer = setInterval(count, COUNT_MS);
    document.addEventListener("visibilitychange", count);
    return () => {
      stop.abort();
      clearInterval(timer);
      document.removeEventListener("visibilitychange", count);
    };
  }, []);
  return stats;
}
