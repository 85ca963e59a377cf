// The public profile of a handle.
import { useEffect, useState } from "react";
import * as api from "../../platform/api.ts";
import { codeOf, textOf } from "../../platform/problem.ts";
import type { Profile } from "../../platform/wire.ts";

export type Found = { is: "asking" } | { is: "found"; profile: Profile } | { is: "missing" } | { is: "unknown"; why: string };

export function useProfile(handle: string): Found {
  const [found, setFound] = useState<Found>({ is: "asking" });
  useEffect(() => {
    const stop = new AbortController();
    api
      .profile(handle, stop.signal)
      .then((profile) => setFound({ is: "found", profile }))
      .catch((error) => stop.signal.aborted || setFound(codeOf(error) === "not_found" ? { is: "missing" } : { is: "unknown", why: textOf(error) }));
    return () => stop.abort();
  }, [handle]);
  return found;
}
