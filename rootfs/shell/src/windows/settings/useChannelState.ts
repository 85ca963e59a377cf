// How a channel is connected, asked again while somebody looks.
import { useState } from "react";
import { useFileChange } from "../../gateway/live.ts";
import { channelStates, type ChannelState } from "../../gateway/settings.ts";
import { usePolling } from "../../gateway/usePolling.ts";

export interface Standing {
  state: ChannelState;
  /** What is wrong and what to do, in the words of the platform. */
  why: string | undefined;
}

const EVERY_MS = 10_000;
/** While it is about to connect: somebody has just switched it on and waits. */
const SOON_MS = 1_000;

/** Undefined until the computer has told. */
export function useChannelState(name: "telegram" | "matrix"): Standing | undefined {
  const [state, setState] = useState<Standing>();
  const again = usePolling(({ signal, headers }) => {
    channelStates(signal, headers).then((told) => setState({ state: told[name] ?? "disabled", why: told.why?.[name] ?? undefined }), () => undefined);
  }, state?.state === "stopped" ? SOON_MS : EVERY_MS);
  useFileChange((path) => path === "system/config.json", again);
  return state;
}
