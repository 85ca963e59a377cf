// Something that is read, changed in a form, and saved. What was typed is kept until it is saved or given up: also when
// saving fails, and while another page or window is looked at.
import { useCallback, useEffect, useRef, useState } from "react";
import { messageOf } from "../../gateway/http.ts";
import { useFileChange } from "../../gateway/live.ts";

export interface Source<T> {
  /** Under this name a draft is kept. */
  name: string;
  load: (signal?: AbortSignal) => Promise<T>;
  save: (value: T) => Promise<unknown>;
  /** The files in which it is kept: when one of them changes, it is read anew. */
  files: readonly string[];
}

export interface Draft<T> {
  value: T;
  change: (next: T) => void;
  dirty: boolean;
  saving: boolean;
  /** It was saved, and nothing was changed since. */
  saved: boolean;
  problem: string | undefined;
  /** Somebody else has changed it while there is a draft of it. */
  elsewhere: boolean;
  save: () => Promise<void>;
  discard: () => void;
}

export type Drafted<T> = { at: "loading" } | { at: "failed"; message: string; again: () => void } | { at: "ready"; draft: Draft<T> };

interface Kept {
  value: unknown;
  /** What was stored when the draft began. */
  base: string;
}

const drafts = new Map<string, Kept>();
const print = (value: unknown) => JSON.stringify(value) ?? "";

/** `source` must be the same object at each drawing. */
export function useDraft<T>(source: Source<T>): Drafted<T> {
  const [stored, setStored] = useState<{ value: T; print: string }>();
  const [kept, setKept] = useState(() => drafts.get(source.name));
  const [failure, setFailure] = useState<string>();
  const [act, setAct] = useState<{ saving: boolean; saved: boolean; problem?: string }>({ saving: false, saved: false });
  const [turn, setTurn] = useState(0);
  const saving = useRef(false);

  const keep = useCallback(
    (next: Kept | undefined) => {
      if (next) drafts.set(source.name, next);
      else drafts.delete(source.name);
      setKept(next);
    },
    [source],
  );
  const again = useCallback(() => setTurn((n) => n + 1), []);

  useEffect(() => {
    const stop = new AbortController();
    source.load(stop.signal).then(
      (value) => {
        setFailure(undefined);
        setStored({ value, print: print(value) });
      },
      (error) => stop.signal.aborted || setFailure(messageOf(error)),
    );
    return () => stop.abort();
  }, [source, turn]);
  useFileChange((path) => source.files.includes(path), again);

  if (!stored) return failure === undefined ? { at: "loading" } : { at: "failed", message: failure, again };

  const value = (kept?.value ?? stored.value) as T;
  const change = (next: T) => {
    const same = print(next) === stored.print;
    keep(same ? undefined : { value: next, base: kept?.base ?? stored.print });
    setAct((last) => ({ saving: last.saving, saved: false }));
  };
  const save = async () => {
    if (saving.current) return;
    saving.current = true;
    setAct({ saving: true, saved: false });
    try {
      await source.save(value);
      setStored({ value, print: print(value) });
      // What was typed while it was being saved is a draft still.
      if (print(drafts.get(source.name)?.value ?? value) === print(value)) keep(undefined);
      setAct({ saving: false, saved: true });
      again();
    } catch (error) {
      setAct({ saving: false, saved: false, problem: messageOf(error) });
    } finally {
      saving.current = false;
    }
  };
  const discard = () => {
    keep(undefined);
    setAct({ saving: false, saved: false });
  };
  const elsewhere = kept !== undefined && kept.base !== stored.print && print(kept.value) !== stored.print;
  return { at: "ready", draft: { value, change, dirty: kept !== undefined, saving: act.saving, saved: act.saved, problem: act.problem, elsewhere, save, discard } };
}
