// The apps as icons on the desktop itself; on a phone they are what its home shows.
import { ownName, type App } from "../../gateway/apps.ts";
import { AppIcon } from "./AppIcon.tsx";
import styles from "./apps.module.css";

interface Props {
  apps: App[];
  phone: boolean;
  onOpen: (app: string) => void;
}

export function AppIcons({ apps, phone, onOpen }: Props) {
  if (apps.length === 0) return null;
  return (
    <ul className={phone ? styles.home : styles.icons} aria-label="Apps">
      {apps.map((app) => (
        <li key={app.file}>
          <button type="button" className={styles.app} data-testid={`app-${ownName(app)}`} title={app.description} onClick={() => onOpen(ownName(app))}>
            <AppIcon app={app} />
            <span className={styles.name}>{app.name}</span>
          </button>
        </li>
      ))}
    </ul>
  );
}
