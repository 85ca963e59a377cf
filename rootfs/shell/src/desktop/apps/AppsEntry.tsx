// The dock's way to all apps, for those whose icons lie beneath windows.
import { LayoutGrid } from "lucide-react";
import { ownName, type App } from "../../gateway/apps.ts";
import { Menu, MenuItem, MenuNote } from "../../parts/Menu.tsx";
import { AppIcon } from "./AppIcon.tsx";
import dock from "../dock/dock.module.css";

export function AppsEntry({ apps, onOpen }: { apps: App[]; onOpen: (app: string) => void }) {
  const trigger = (
    <button type="button" className={dock.entry} data-testid="dock-apps" aria-label="Apps">
      <LayoutGrid aria-hidden="true" />
      <span className={dock.name} aria-hidden="true">
        Apps
      </span>
    </button>
  );
  return (
    <Menu trigger={trigger}>
      {apps.map((app) => (
        <MenuItem key={app.file} icon={<AppIcon app={app} />} onSelect={() => onOpen(ownName(app))}>
          {app.name}
        </MenuItem>
      ))}
      {apps.length === 0 && <MenuNote>No apps yet. Ask your AI to build one.</MenuNote>}
    </Menu>
  );
}
