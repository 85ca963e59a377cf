// The apps of this computer, as the whole desktop sees them; read again whenever a file of theirs changes.
import { useSyncExternalStore } from "react";
import { apps, ownName, type App } from "../../gateway/apps.ts";
import { currentLink, onLink } from "../../gateway/link.ts";
import { onEvent, onFileChange } from "../../gateway/live.ts";

let known: App[] | undefined;
const listeners = new Set<() => void>();

async function look() {
  // Whether the computer can be reached is told elsewhere; it is asked again when it is back.
  const now = await apps().catch(() => undefined);
  if (!now || JSON.stringify(now) === JSON.stringify(known)) return;
  known = now;
  for (const listener of [...listeners]) listener();
}

/** Keeps the list up to date, until the returned function is called. */
export function watchApps(): () => void {
  void look();
  const forgetFiles = onFileChange(
    (path) => path === "apps" || path.startsWith("apps/"),
    () => void look(),
  );
  const forgetEvents = onEvent((event) => event.type === "app:open" && void look());
  const forgetLink = onLink(() => currentLink() === "connected" && !known && void look());
  return () => {
    forgetFiles();
    forgetEvents();
    forgetLink();
  };
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Undefined until the computer has told. */
export const useApps = () => useSyncExternalStore(subscribe, () => known);

/** What is known of one app; its own name makes do until then. */
export function useApp(name: string): App {
  const app = useApps()?.find((one) => ownName(one) === name);
  return app ?? { name: titleOf(name), category: "utility", file: `${name}.html`, path: `apps/${name}.html` };
}

/** `expense-tracker` is called “Expense tracker” if nobody says otherwise. */
const titleOf = (name: string) => name.charAt(0).toUpperCase() + name.slice(1).replaceAll("-", " ");
