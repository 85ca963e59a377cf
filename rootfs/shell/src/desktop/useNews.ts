// The latest notice that the owner has not put away, asked for now and then while somebody looks.
import { useCallback, useEffect, useState } from "react";
import { notices, type Notice } from "../gateway/notices.ts";

const EVERY_MS = 15_000;
/** Older news, from before this page was opened, is no news. */
const FRESH_MS = 10 * 60_000;

/** The newest of those that are fresh and were not put away. */
export function latest(all: Notice[], putAway: ReadonlySet<string>, now: number): Notice | undefined {
  return all.filter((notice) => !putAway.has(notice.id) && now - notice.at < FRESH_MS).at(-1);
}

export function useNews(): [Notice | undefined, (notice: Notice) => void] {
  const [all, setAll] = useState<Notice[]>([]);
  const [putAway, setPutAway] = useState<ReadonlySet<string>>(new Set());
  useEffect(() => {
    const stop = new AbortController();
    const look = () => {
      if (document.visibilityState === "hidden") return;
      // That the computer is out of reach is told elsewhere.
      notices(stop.signal).then(setAll, () => undefined);
    };
    look();
    const timer = setInterval(look, EVERY_MS);
    document.addEventListener("visibilitychange", look);
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", look);
      stop.abort();
    };
  }, []);
  const dismiss = useCallback((notice: Notice) => setPutAway((ids) => new Set(ids).add(notice.id)), []);
  return [latest(all, putAway, Date.now()), dismiss];
}
