// One icon per kind of window, the same in the dock and in title bars.
import { Folder, Gauge, Settings, SquareTerminal, type LucideIcon } from "lucide-react";
import type { Kind } from "./kinds.ts";

export const KIND_ICONS: Record<Kind, LucideIcon> = {
  terminal: SquareTerminal,
  files: Folder,
  system: Gauge,
  settings: Settings,
};
