// How a channel is connected, asked again while somebody looks.
import { useEffect, useState } from "react";
import { useFileChange } from "../../gateway/live.ts";
import { channelStates, type ChannelState } from "../../gateway/settings.ts";

const EVERY_MS = 10_000;

export function useChannelState(name: string): ChannelState | undefined {
  const [state, setState] = useState<ChannelState>();
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    const stop = new AbortController();
    const look = () => {
      if (document.visibilityState === "hidden") return;
      channelStates(stop.signal).then((states) => setState(states[name] ?? "disabled"), () => undefined);
    };
    look();
    const timer = setInterval(look, EVERY_MS);
    return () => {
      clearInterval(timer);
      stop.abort();
    };
  }, [name, turn]);
  useFileChange((path) => path === "system/config.json", () => setTurn((n) => n + 1));
  return state;
}
