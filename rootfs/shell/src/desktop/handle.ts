// Whose computer this is: the first label of its address until the computer itself has said so.
import { useEffect, useSyncExternalStore } from "react";
import { askJson } from "../gateway/http.ts";

export interface Identity {
  handle: string;
  /** The domain below which the computer has its name. */
  domain: string;
}

let known: Identity | undefined;
let asked: Promise<void> | undefined;
const listeners = new Set<() => void>();

export function handleFromHost(host: string): string | undefined {
  const label = host.split(".")[0] ?? "";
  return host.includes(".") && /^[a-z][a-z0-9-]{2,30}$/.test(label) ? label : undefined;
}

/** Asked once for the whole page. */
function look() {
  asked ??= askJson<Identity>("/api/identity").then(
    (identity) => {
      known = identity;
      for (const listener of [...listeners]) listener();
    },
    () => {
      // The address has already told, and the top bar shows that the computer is away.
      asked = undefined;
    },
  );
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  look();
  return () => listeners.delete(listener);
}

/** Undefined until the computer has told. */
export const useIdentity = () => useSyncExternalStore(subscribe, () => known);

export function useHandle(): string {
  const handle = useIdentity()?.handle || handleFromHost(location.hostname) || "";
  useEffect(() => {
    if (handle) document.title = `${handle} · Matrix OS`;
  }, [handle]);
  return handle;
}
