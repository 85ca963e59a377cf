// The computer's figures, asked again every few seconds for as long as somebody can see them.
import { useCallback, useEffect, useState } from "react";
import { messageOf } from "../../gateway/http.ts";
import { systemInfo, type SystemInfo } from "../../gateway/system.ts";

const EVERY_MS = 5_000;

interface State {
  info?: SystemInfo;
  /** When `info` was told, by this page's clock. */
  asOf: number;
  error?: string | undefined;
}

export function useSystemInfo(visible: boolean) {
  const [state, setState] = useState<State>({ asOf: 0 });
  const [turn, setTurn] = useState(0);
  const again = useCallback(() => setTurn((n) => n + 1), []);

  useEffect(() => {
    if (!visible) return;
    const stop = new AbortController();
    const look = async () => {
      if (document.visibilityState === "hidden") return;
      try {
        const info = await systemInfo(stop.signal);
        setState({ info, asOf: Date.now() });
      } catch (error) {
        if (!stop.signal.aborted) setState((last) => ({ ...last, error: messageOf(error) }));
      }
    };
    void look();
    const timer = setInterval(() => void look(), EVERY_MS);
    return () => {
      clearInterval(timer);
      stop.abort();
    };
  }, [visible, turn]);

  return { info: state.info, asOf: state.asOf, error: state.error, again };
}
