// Looks through all conversations, a moment after the last letter was typed.
import { useCallback, useEffect, useState } from "react";
import { search, type Hit } from "../../gateway/conversations.ts";
import { messageOf } from "../../gateway/http.ts";

const CALM_MS = 250;

type Found = { at: "searching" } | { at: "found"; hits: Hit[] } | { at: "failed"; message: string; again: () => void };

export function useSearch(wanted: string): Found {
  const [found, setFound] = useState<Found>({ at: "searching" });
  const [turn, setTurn] = useState(0);
  const again = useCallback(() => setTurn((n) => n + 1), []);
  const text = wanted.trim();
  useEffect(() => {
    setFound({ at: "searching" });
    if (!text) return;
    const stop = new AbortController();
    const timer = setTimeout(() => {
      search(text, stop.signal).then(
        (hits) => setFound({ at: "found", hits }),
        (error: unknown) => stop.signal.aborted || setFound({ at: "failed", message: messageOf(error), again }),
      );
    }, CALM_MS);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [text, turn, again]);
  return found;
}
