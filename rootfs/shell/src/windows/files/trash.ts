// What lies in the trash: its name there says when it was deleted. Pure.
import type { Entry } from "../../gateway/files.ts";

export const TRASH = ".trash";

export interface Trashed {
  /** Its path in the home, as long as it is in the trash. */
  path: string;
  name: string;
  kind: Entry["kind"];
  size: number;
  /** Milliseconds since 1970; nothing for what somebody put there by hand. */
  when: number | undefined;
}

/** The entries of the trash, the last deleted first; what the computer keeps there for itself is left out. */
export function trashed(entries: Entry[]): Trashed[] {
  const all = entries.filter(({ name, lossy }) => name !== ".from" && !lossy).map(({ name, kind, size }) => {
    const [, when, rest] = /^(\d{12,14})-(.+)$/s.exec(name) ?? [];
    return { path: `${TRASH}/${name}`, name: rest ?? name, kind, size, when: when === undefined ? undefined : Number(when) };
  });
  return all.toSorted((a, b) => (b.when ?? 0) - (a.when ?? 0));
}
