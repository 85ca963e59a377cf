// What the AI took and what is left, asked when the desktop opens, after each turn, and when somebody wants to know.
import { useCallback, useEffect, useState } from "react";
import { BACKGROUND, currentLink, onLink } from "../../../gateway/link.ts";
import { onEvent } from "../../../gateway/live.ts";
import { systemInfo } from "../../../gateway/system.ts";
import { usage as ask, type Usage } from "../../../gateway/usage.ts";
import { messageOf } from "../../../gateway/http.ts";

interface Known {
  usage?: Usage;
  hasAi?: boolean;
  problem?: string | undefined;
}

export function useUsage(): Known & { again: () => void } {
  const [known, setKnown] = useState<Known>({});
  const [turn, setTurn] = useState(0);
  const again = useCallback(() => setTurn((n) => n + 1), []);

  useEffect(() => {
    const stop = new AbortController();
    Promise.all([ask(stop.signal, BACKGROUND), systemInfo(stop.signal, BACKGROUND)]).then(
      ([usage, info]) => setKnown({ usage, hasAi: info.modules.includes("ai") }),
      (error) => stop.signal.aborted || setKnown((last) => ({ ...last, problem: messageOf(error) })),
    );
    return () => stop.abort();
  }, [turn]);

  useEffect(() => {
    const forgetEvents = onEvent((event) => {
      if (event.type === "kernel:result" || (event.type === "kernel:error" && event.turnId)) again();
    });
    const forgetLink = onLink(() => currentLink() === "connected" && again());
    return () => {
      forgetEvents();
      forgetLink();
    };
  }, [again]);
  return { ...known, again };
}
