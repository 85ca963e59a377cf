// The person's own time, exact to the minute and no busier than that.
import { useEffect, useState } from "react";
import styles from "./topbar.module.css";

const day = new Intl.DateTimeFormat(undefined, { weekday: "short", day: "numeric", month: "short" });
const time = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });

export function Clock() {
  const [now, setNow] = useState(() => new Date());
  useEffect(() => {
    const untilNextMinute = 60_000 - (now.getTime() % 60_000);
    const timer = setTimeout(() => setNow(new Date()), untilNextMinute);
    return () => clearTimeout(timer);
  }, [now]);
  return (
    <time className={styles.clock} dateTime={now.toISOString()}>
      <span className={styles.day}>{day.format(now)}</span>
      {time.format(now)}
    </time>
  );
}
