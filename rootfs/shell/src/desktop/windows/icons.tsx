// One icon per kind of window, the same in the dock and in title bars.
import { AppWindow, CalendarClock, Folder, Gauge, History, MessageCircle, Settings, SquareTerminal, type LucideIcon } from "lucide-react";
import type { Kind } from "./kinds.ts";

export const KIND_ICONS: Record<Kind, LucideIcon> = {
  chat: MessageCircle,
  terminal: SquareTerminal,
  files: Folder,
  system: Gauge,
  settings: Settings,
  app: AppWindow,
  jobs: CalendarClock,
  activity: History,
};
