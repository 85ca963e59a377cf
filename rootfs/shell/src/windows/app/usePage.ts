// Whether an app's page can be shown, and its version: a new one whenever its file has changed.
import { useCallback, useEffect, useRef, useState } from "react";
import { look } from "../../gateway/apps.ts";
import { list } from "../../gateway/files.ts";
import { GatewayError, messageOf } from "../../gateway/http.ts";
import { onEvent, useFileChange } from "../../gateway/live.ts";

export type Page = { at: "looking" } | { at: "shown"; version: number } | { at: "gone" } | { at: "failed"; message: string };

let versions = 0;

export function usePage(app: string) {
  const [page, setPage] = useState<Page>({ at: "looking" });
  const stamp = useRef<string>(undefined);
  const stopped = useRef<AbortController>(undefined);

  const load = useCallback(() => {
    stopped.current?.abort();
    const { signal } = (stopped.current = new AbortController());
    const shown = async () => {
      stamp.current = await stampOf(app);
      await look(app, signal);
      return { at: "shown", version: ++versions } as const;
    };
    shown()
      .catch(whyNot)
      .then((next) => signal.aborted || setPage(next));
  }, [app]);
  useEffect(() => {
    load();
    return () => stopped.current?.abort();
  }, [load]);

  // What an app holds in its memory is not thrown away for nothing: changes may have been missed, or told of what is shown already.
  const compare = useCallback(() => {
    stampOf(app).then(
      (now) => now !== stamp.current && load(),
      () => undefined,
    );
  }, [app, load]);
  useFileChange((path) => path === `apps/${app}.html`, compare);
  // A computer that watches too much already cannot tell of changes; that the AI has made the app anew is told all the same.
  useEffect(() => onEvent((event) => event.type === "app:open" && event.name === app && compare()), [app, compare]);
  return { page, load };
}

function whyNot(error: unknown): Page {
  return error instanceof GatewayError && error.status === 404 ? { at: "gone" } : { at: "failed", message: messageOf(error) };
}

/** Tells one state of an app's file from another. */
async function stampOf(app: string): Promise<string> {
  const { entries } = await list("apps");
  const file = entries.find(({ name }) => name === `${app}.html`);
  return `${file?.modified} ${file?.size}`;
}
