// A text file that is edited: read, watched, saved. What was typed is never lost to a failure or to somebody else's change.
import { useCallback, useEffect, useRef, useState } from "react";
import { readWhole, writeText } from "../../gateway/files.ts";
import { GatewayError, messageOf } from "../../gateway/http.ts";
import { useFileChange } from "../../gateway/live.ts";
import { textOf } from "../files/text.ts";
import { LARGEST, drafted, isDirty, kept, opened, reloaded, seen, written, type Document } from "./document.ts";
import { draftOf } from "./drafts.ts";
import { useKeeping } from "./useKeeping.ts";

export type Opened =
  | { at: "loading" }
  | { at: "failed"; message: string }
  | { at: "refused"; why: "binary" | "large" }
  /** `windows`: lines end as on Windows; a text field knows only the other kind, so they are put back when it is saved. */
  | { at: "open"; document: Document; windows: boolean };

export function useDocument(path: string) {
  const [state, setState] = useState<Opened>({ at: "loading" });
  const [act, setAct] = useState<{ saving: boolean; problem?: string }>({ saving: false });
  const [turn, setTurn] = useState(0);
  const saving = useRef(false);
  const again = useCallback(() => setTurn((n) => n + 1), []);
  const change = useCallback((how: (document: Document) => Document) => setState((last) => (last.at === "open" ? { ...last, document: how(last.document) } : last)), []);

  useEffect(() => {
    const stop = new AbortController();
    read(path, stop.signal).then(
      (found) => setState((last) => joined(path, last, found)),
      (error) => stop.signal.aborted || setState((last) => (last.at === "open" ? last : { at: "failed", message: messageOf(error) })),
    );
    return () => stop.abort();
  }, [path, turn]);
  // Its own saving is told as well; it is looked at when that is over.
  useFileChange((changed) => changed === path || path.startsWith(`${changed}/`), () => saving.current || again());

  const save = useCallback(async () => {
    if (state.at !== "open" || saving.current) return false;
    const { document: { text }, windows } = state;
    saving.current = true;
    setAct({ saving: true });
    try {
      await writeText(path, windows ? text.replaceAll("\n", "\r\n") : text);
      change((document) => written(document, text));
      setAct({ saving: false });
      return true;
    } catch (error) {
      setAct({ saving: false, problem: messageOf(error) });
      return false;
    } finally {
      saving.current = false;
    }
  }, [state, path, change]);

  const { isKept, forget } = useKeeping(path, state);

  return {
    state,
    ...act,
    isKept,
    again,
    save,
    type: (text: string) => change((document) => ({ ...document, text })),
    reload: () => change(reloaded),
    keep: () => change(kept),
    /** What was typed is given up. */
    discard: forget,
  };
}

/** What was read, beside what is open already. */
function joined(path: string, last: Opened, found: Opened | null): Opened {
  if (last.at !== "open") return begun(path, found);
  if (found === null) return { ...last, document: seen(last.document, null) };
  if (found.at === "open") return { ...found, document: seen(last.document, found.document.text) };
  return isDirty(last.document) ? last : found;
}

/** What was read at first, with the draft that was left of it. */
function begun(path: string, found: Opened | null): Opened {
  const draft = found === null || found.at === "open" ? draftOf(path) : undefined;
  if (!draft) return found ?? { at: "open", document: opened(""), windows: false };
  const now = found?.at === "open" ? found.document.text : null;
  return { at: "open", document: drafted(draft, now), windows: found?.at === "open" ? found.windows : draft.windows };
}

/** Null: there is no such file. */
async function read(path: string, signal: AbortSignal): Promise<Opened | null> {
  try {
    const content = await readWhole(path, LARGEST, signal);
    if (!content) return { at: "refused", why: "large" };
    // Whole characters only: what is not UTF-8 would be damaged by saving it.
    const text = textOf(content, true);
    if (text === undefined) return { at: "refused", why: "binary" };
    return { at: "open", document: opened(text.replaceAll("\r\n", "\n")), windows: text.includes("\r\n") };
  } catch (error) {
    if (error instanceof GatewayError && error.status === 404) return null;
    throw error;
  }
}
