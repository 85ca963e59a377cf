// The computer's figures, asked again every few seconds for as long as somebody can see them.
import { useState } from "react";
import { messageOf } from "../../gateway/http.ts";
import { systemInfo, type SystemInfo } from "../../gateway/system.ts";
import { usePolling } from "../../gateway/usePolling.ts";

const EVERY_MS = 5_000;

interface State {
  info?: SystemInfo;
  /** When `info` was told, by this page's clock. */
  asOf: number;
  error?: string | undefined;
}

export function useSystemInfo(visible: boolean) {
  const [state, setState] = useState<State>({ asOf: 0 });
  const again = usePolling(
    ({ signal, headers }) =>
      systemInfo(signal, headers).then(
        (info) => setState({ info, asOf: Date.now() }),
        (error) => signal.aborted || setState((last) => ({ ...last, error: messageOf(error) })),
      ),
    EVERY_MS,
    visible,
  );
  return { info: state.info, asOf: state.asOf, error: state.error, again };
}
