// How a folder is shown: folders first, then by name as people count (2 before 10).
import type { Entry } from "../../gateway/files.ts";

const names = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });

export function shown(entries: Entry[], hiddenToo: boolean): Entry[] {
  return entries
    .filter((entry) => hiddenToo || !entry.name.startsWith("."))
    .toSorted((a, b) => Number(b.kind === "directory") - Number(a.kind === "directory") || names.compare(a.name, b.name));
}

/** The name itself, or with a number before its ending when it is taken: an upload never overwrites. */
export function freeName(name: string, taken: ReadonlySet<string>): string {
  if (!taken.has(name)) return name;
  const dot = name.lastIndexOf(".");
  const [stem, ending] = dot > 0 ? [name.slice(0, dot), name.slice(dot)] : [name, ""];
  for (let n = 2; ; n++) {
    const candidate = `${stem} (${n})${ending}`;
    if (!taken.has(candidate)) return candidate;
  }
}
