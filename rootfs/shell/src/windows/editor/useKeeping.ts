// Keeps what is typed as a draft, a moment after it was typed and before the window or the page goes.
import { useCallback, useEffect, useRef, useState } from "react";
import { isDirty } from "./document.ts";
import { keepDraft } from "./drafts.ts";
import type { Opened } from "./useDocument.ts";

const CALM_MS = 250;

/** `isKept` is false while what was typed is nowhere but in the window; `forget` gives the draft up. */
export function useKeeping(path: string, state: Opened): { isKept: boolean; forget: () => void } {
  const [isKept, setKept] = useState(true);
  const due = useRef<() => void>(undefined);
  const { document, windows } = state.at === "open" ? state : {};
  useEffect(() => {
    if (!document) return;
    due.current = () => {
      due.current = undefined;
      const { text, stored: base } = document;
      const kept = keepDraft(path, isDirty(document) ? { text, base, windows: windows === true } : undefined);
      setKept(kept || !isDirty(document));
    };
    const timer = setTimeout(() => due.current?.(), CALM_MS);
    return () => clearTimeout(timer);
  }, [path, document, windows]);
  useEffect(() => {
    const leave = () => due.current?.();
    window.addEventListener("pagehide", leave);
    return () => {
      window.removeEventListener("pagehide", leave);
      leave();
    };
  }, []);
  const forget = useCallback(() => {
    due.current = undefined;
    keepDraft(path, undefined);
  }, [path]);
  return { isKept, forget };
}
