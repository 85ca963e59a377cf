// The jobs, read when the window is looked at, when their file changes, and once a minute, since they run by the clock.
import { useState } from "react";
import { jobs, type Job } from "../../gateway/jobs.ts";
import { messageOf } from "../../gateway/http.ts";
import { useFileChange } from "../../gateway/live.ts";
import { usePolling } from "../../gateway/usePolling.ts";

const EVERY_MS = 60_000;

export function useJobs(visible: boolean): { list?: Job[]; problem?: string | undefined; again: () => void } {
  const [state, setState] = useState<{ list?: Job[]; problem?: string | undefined }>({});
  const again = usePolling(
    ({ signal, headers, again }) =>
      jobs(signal, headers).then(
        (list) => setState({ list }),
        (error) => signal.aborted || again || setState((last) => ({ ...last, problem: messageOf(error) })),
      ),
    EVERY_MS,
    visible,
  );
  useFileChange((path) => path === "system/cron.json", again);
  return { ...state, again };
}
