// How a channel is connected, asked again while somebody looks.
import { useEffect, useState } from "react";
import { BACKGROUND } from "../../gateway/link.ts";
import { useFileChange } from "../../gateway/live.ts";
import { channelStates, type ChannelState } from "../../gateway/settings.ts";

export interface Standing {
  state: ChannelState;
  /** What is wrong and what to do, in the words of the platform. */
  why: string | undefined;
}

const EVERY_MS = 10_000;

/** Undefined until the computer has told. */
export function useChannelState(name: "telegram" | "matrix"): Standing | undefined {
  const [state, setState] = useState<Standing>();
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    const stop = new AbortController();
    const look = (headers?: HeadersInit) => {
      if (document.visibilityState === "hidden") return;
      channelStates(stop.signal, headers).then((told) => setState({ state: told[name] ?? "disabled", why: told.why?.[name] ?? undefined }), () => undefined);
    };
    look();
    const timer = setInterval(() => look(BACKGROUND), EVERY_MS);
    return () => {
      clearInterval(timer);
      stop.abort();
    };
  }, [name, turn]);
  useFileChange((path) => path === "system/config.json", () => setTurn((n) => n + 1));
  return state;
}
