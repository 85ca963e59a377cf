// The kinds of windows: their names and first sizes. Their contents live in `src/windows/{kind}`, see `contents.tsx`.
import type { Area } from "./geometry.ts";

export const KINDS = ["terminal", "files", "system", "settings"] as const;
export type Kind = (typeof KINDS)[number];

/** Those of which one is enough, or each of which shows something of its own. */
export const SINGLE: readonly Kind[] = ["system", "settings"];

export const NAMES: Record<Kind, string> = { terminal: "Terminal", files: "Files", system: "System", settings: "Settings" };

export const SIZES: Record<Kind, Area> = {
  terminal: { width: 760, height: 480 },
  files: { width: 780, height: 520 },
  system: { width: 460, height: 520 },
  settings: { width: 780, height: 620 },
};
