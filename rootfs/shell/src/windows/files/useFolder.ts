// The content of one folder, read when it is opened, when asked, when something in it changes, and when the page is looked at again.
import { useCallback, useEffect, useState } from "react";
import { list, type Entry } from "../../gateway/files.ts";
import { messageOf } from "../../gateway/http.ts";
import { useFileChange } from "../../gateway/live.ts";
import { parent } from "./paths.ts";

export type Folder = { at: "loading" } | { at: "failed"; message: string } | { at: "listed"; entries: Entry[]; truncated: boolean };

export function useFolder(path: string): { folder: Folder; reload: () => void } {
  const [state, setState] = useState<{ path: string; folder: Folder }>({ path, folder: { at: "loading" } });
  const [turn, setTurn] = useState(0);
  const reload = useCallback(() => setTurn((n) => n + 1), []);

  useEffect(() => {
    const stop = new AbortController();
    list(path, stop.signal).then(
      ({ entries, truncated = false }) => setState({ path, folder: { at: "listed", entries, truncated } }),
      (error) => stop.signal.aborted || setState({ path, folder: { at: "failed", message: messageOf(error) } }),
    );
    return () => stop.abort();
  }, [path, turn]);

  useFileChange((changed) => parent(changed) === path || changed === path, reload);

  useEffect(() => {
    const back = () => document.visibilityState === "visible" && reload();
    document.addEventListener("visibilitychange", back);
    return () => document.removeEventListener("visibilitychange", back);
  }, [reload]);

  return { folder: state.path === path ? state.folder : { at: "loading" }, reload };
}
