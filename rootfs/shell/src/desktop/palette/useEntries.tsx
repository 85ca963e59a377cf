// What the palette offers: windows, apps, pages of the settings, and the theme.
import { Moon, Sun, SunMoon, type LucideIcon } from "lucide-react";
import { useMemo, type ReactNode } from "react";
import { ownName } from "../../gateway/apps.ts";
import { PAGES } from "../../windows/settings/pages.ts";
import { AppIcon } from "../apps/AppIcon.tsx";
import { useApps } from "../apps/apps.ts";
import { openWindow } from "../open.ts";
import { changeTheme } from "../theme/store.ts";
import type { Appearance } from "../theme/theme.ts";
import { KIND_ICONS } from "../windows/icons.tsx";
import { KINDS, NAMES, type Kind } from "../windows/kinds.ts";
import type { Searched } from "./search.ts";

export interface Entry extends Searched {
  id: string;
  group: string;
  icon: ReactNode;
  act: () => void;
}

const ALSO: Partial<Record<Kind, string>> = {
  chat: "ai assistant talk",
  terminal: "shell command line console",
  files: "folders documents upload trash",
  system: "memory disk processes figures",
  settings: "preferences options",
  jobs: "cron timer reminder every day plan",
  activity: "log history usage cost tokens",
};

const sign = (Icon: LucideIcon) => <Icon aria-hidden="true" />;

/** Kinds that need no subject to be opened. */
const PLAIN: readonly Kind[] = KINDS.filter((kind) => kind in ALSO);

const WINDOWS: Entry[] = PLAIN.map((kind) => ({ id: kind, group: "Windows", name: NAMES[kind], also: ALSO[kind] ?? "", icon: sign(KIND_ICONS[kind]), act: () => openWindow(kind) }));

const SETTINGS: Entry[] = PAGES.map(({ id, name, about, icon }) => ({ id: `settings-${id}`, group: "Settings", name: `Settings: ${name}`, also: about, icon: sign(icon), act: () => openWindow("settings", id) }));

const LOOKS: [Appearance, string, LucideIcon][] = [
  ["dark", "Make it dark", Moon],
  ["light", "Make it light", Sun],
  ["system", "Light or dark as this device", SunMoon],
];

export function useEntries(onProblem: (error: unknown) => void): Entry[] {
  const apps = useApps();
  return useMemo(() => {
    const looks = LOOKS.map(([appearance, name, icon]) => ({ id: appearance, group: "Look", name, also: "theme appearance mode night day", icon: sign(icon), act: () => void changeTheme({ appearance }).catch(onProblem) }));
    const own = (apps ?? []).map((app) => ({
      id: `app-${app.file}`,
      group: "Apps",
      name: app.name,
      also: `app ${app.category} ${app.description ?? ""}`,
      icon: <AppIcon app={app} />,
      act: () => openWindow("app", ownName(app)),
    }));
    return [...WINDOWS, ...own, ...SETTINGS, ...looks];
  }, [apps, onProblem]);
}
