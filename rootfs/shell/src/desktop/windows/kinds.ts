// The kinds of windows: their names and first sizes. Their contents live in `src/windows/{kind}`, see `contents.tsx`.
import type { Area } from "./geometry.ts";

export const KINDS = ["chat", "terminal", "files", "system", "app", "settings", "jobs", "activity"] as const;
export type Kind = (typeof KINDS)[number];

/** Those that are opened by their kind alone and often; the palette opens the others. */
export const IN_DOCK: readonly Kind[] = KINDS.filter((kind) => kind !== "app" && kind !== "jobs" && kind !== "activity");
/** Those of which one is enough, or each of which shows something of its own. */
export const SINGLE: readonly Kind[] = ["chat", "system", "app", "settings", "jobs", "activity"];

export const NAMES: Record<Kind, string> = {
  chat: "Chat",
  terminal: "Terminal",
  files: "Files",
  system: "System",
  settings: "Settings",
  app: "App",
  jobs: "Scheduled jobs",
  activity: "Activity",
};

export const SIZES: Record<Kind, Area> = {
  chat: { width: 480, height: 620 },
  terminal: { width: 760, height: 480 },
  files: { width: 780, height: 520 },
  system: { width: 460, height: 520 },
  settings: { width: 780, height: 620 },
  app: { width: 560, height: 560 },
  jobs: { width: 640, height: 560 },
  activity: { width: 860, height: 560 },
};
