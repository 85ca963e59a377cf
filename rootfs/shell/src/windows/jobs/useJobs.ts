// The jobs, read when the window is looked at, when their file changes, and once a minute, since they run by the clock.
import { useCallback, useEffect, useState } from "react";
import { jobs, type Job } from "../../gateway/jobs.ts";
import { messageOf } from "../../gateway/http.ts";
import { BACKGROUND } from "../../gateway/link.ts";
import { useFileChange } from "../../gateway/live.ts";

const EVERY_MS = 60_000;

export function useJobs(visible: boolean): { list?: Job[]; problem?: string | undefined; again: () => void } {
  const [state, setState] = useState<{ list?: Job[]; problem?: string | undefined }>({});
  const [turn, setTurn] = useState(0);
  const again = useCallback(() => setTurn((n) => n + 1), []);
  useFileChange((path) => path === "system/cron.json", again);
  useEffect(() => {
    if (!visible) return;
    const stop = new AbortController();
    const look = () =>
      jobs(stop.signal).then(
        (list) => setState({ list }),
        (error) => stop.signal.aborted || setState((last) => ({ ...last, problem: messageOf(error) })),
      );
    void look();
    const timer = setInterval(() => {
      if (document.visibilityState === "hidden") return;
      // Nobody asked for it: a computer that sleeps goes on sleeping, and its jobs are as they were.
      jobs(stop.signal, BACKGROUND).then((list) => setState({ list }), () => undefined);
    }, EVERY_MS);
    return () => {
      clearInterval(timer);
      stop.abort();
    };
  }, [visible, turn]);
  return { ...state, again };
}
