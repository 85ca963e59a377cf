// Something that is asked of the platform when a part of a page opens, and again when it has changed.
import { useCallback, useEffect, useState } from "react";
import { codeOf, textOf } from "../platform/problem.ts";

export type Loaded<T> = { is: "loading" } | { is: "ready"; value: T } | { is: "failed"; why: string };

/** `load` must be the same function at each drawing. What was there stays in view while it is asked again. */
export function useLoaded<T>(load: (signal: AbortSignal) => Promise<T>, version = 0): Loaded<T> & { again: () => void } {
  const [loaded, setLoaded] = useState<Loaded<T>>({ is: "loading" });
  const [round, setRound] = useState(0);
  useEffect(() => {
    const stop = new AbortController();
    load(stop.signal).then(
      (value) => stop.signal.aborted || setLoaded({ is: "ready", value }),
      (error) => {
        if (stop.signal.aborted) return;
        if (codeOf(error) === "not_signed_in") location.replace("/login");
        else setLoaded({ is: "failed", why: textOf(error) });
      },
    );
    return () => stop.abort();
  }, [load, version, round]);
  const again = useCallback(() => {
    setLoaded({ is: "loading" });
    setRound((n) => n + 1);
  }, []);
  return { ...loaded, again };
}
