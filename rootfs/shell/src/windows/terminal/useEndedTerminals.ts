// A terminal whose window was closed has its shell ended too; minimised ones and closed pages keep theirs.
import { useEffect, useRef } from "react";
import { ask } from "../../gateway/http.ts";
import type { Layout } from "../../desktop/windows/layout.ts";

export function sessionsOf(layout: Layout): Set<string> {
  return new Set(layout.windows.flatMap((w) => (w.kind === "terminal" && w.subject ? [w.subject] : [])));
}

export function useEndedTerminals(layout: Layout) {
  const before = useRef(new Set<string>());
  useEffect(() => {
    const now = sessionsOf(layout);
    for (const session of before.current) {
      // A shell that cannot be told now is ended by the gateway itself once it has been idle for long.
      if (!now.has(session)) ask(`/api/terminals/${encodeURIComponent(session)}`, { method: "DELETE" }).catch(() => undefined);
    }
    before.current = now;
  }, [layout]);
}
