// What the screen is like, kept up to date.
import { useCallback, useSyncExternalStore } from "react";

export function useMedia(query: string): boolean {
  const subscribe = useCallback(
    (listener: () => void) => {
      const media = matchMedia(query);
      media.addEventListener("change", listener);
      return () => media.removeEventListener("change", listener);
    },
    [query],
  );
  return useSyncExternalStore(subscribe, () => matchMedia(query).matches);
}

/** Narrow screens show one window at a time, as a card over the whole screen. */
export const useIsPhone = () => useMedia("(max-width: 767.98px)");
export const useIsTouch = () => useMedia("(pointer: coarse)");
export { useIsDark } from "./theme/store.ts";
