// Looks at something now, and again and again for as long as somebody can see it. What nobody asked for neither wakes the
// computer nor keeps it awake.
import { useCallback, useEffect, useRef, useState } from "react";
import { BACKGROUND } from "./link.ts";

/** One look. `headers` go along; `again` says that it is not the first, so that its failure is no news. */
export interface Look {
  signal: AbortSignal;
  headers: HeadersInit;
  again: boolean;
}

/** Calls `look` now, whenever the returned function is called, and every `ms` while the page is seen and `active`. */
export function usePolling(look: (how: Look) => void, ms: number, active = true): () => void {
  const [turn, setTurn] = useState(0);
  const latest = useRef(look);
  useEffect(() => {
    latest.current = look;
  });
  useEffect(() => {
    if (!active) return;
    const stop = new AbortController();
    const { signal } = stop;
    latest.current({ signal, headers: {}, again: false });
    const timer = setInterval(() => {
      if (document.visibilityState === "visible") latest.current({ signal, headers: BACKGROUND, again: true });
    }, ms);
    return () => {
      clearInterval(timer);
      stop.abort();
    };
  }, [ms, active, turn]);
  return useCallback(() => setTurn((n) => n + 1), []);
}
