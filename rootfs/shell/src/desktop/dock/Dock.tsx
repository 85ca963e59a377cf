// The dock; under 768 px the same entries as a bar of tabs.
import { House } from "lucide-react";
import type { App } from "../../gateway/apps.ts";
import { AppIcon } from "../apps/AppIcon.tsx";
import { useApp } from "../apps/apps.ts";
import { AppsEntry } from "../apps/AppsEntry.tsx";
import { openWindow } from "../open.ts";
import { KIND_ICONS } from "../windows/icons.tsx";
import { IN_DOCK, NAMES, type Kind } from "../windows/kinds.ts";
import { ofKind, type Layout, type Win } from "../windows/layout.ts";
import styles from "./dock.module.css";

interface Props {
  layout: Layout;
  front: Win | undefined;
  apps: App[];
  phone: boolean;
  onSummon: (kind: Kind) => void;
  onHome: () => void;
}

export function Dock({ layout, front, apps, phone, onSummon, onHome }: Props) {
  return (
    <nav className={phone ? styles.tabs : styles.dock} aria-label="Dock" data-dock>
      {phone && (
        <button type="button" className={styles.entry} aria-current={front === undefined} onClick={onHome}>
          <House aria-hidden="true" />
          <span className={styles.name}>Home</span>
        </button>
      )}
      {IN_DOCK.map((kind) => (
        <Entry key={kind} kind={kind} open={ofKind(layout, kind).length} front={front?.kind === kind} onSummon={onSummon} />
      ))}
      {!phone && <AppsEntry apps={apps} onOpen={openApp} />}
      {!phone && ofKind(layout, "app").map((win) => <OpenApp key={win.id} name={win.subject ?? ""} front={win === front} />)}
    </nav>
  );
}

const openApp = (app: string) => openWindow("app", app);

function OpenApp({ name, front }: { name: string; front: boolean }) {
  const app = useApp(name);
  return (
    <button type="button" className={styles.entry} data-open="true" aria-current={front} aria-label={`${app.name}, open`} onClick={() => openApp(name)}>
      <AppIcon app={app} />
      <span className={styles.name} aria-hidden="true">
        {app.name}
      </span>
    </button>
  );
}

interface EntryProps {
  kind: Kind;
  open: number;
  front: boolean;
  onSummon: (kind: Kind) => void;
}

function Entry({ kind, open, front, onSummon }: EntryProps) {
  const Icon = KIND_ICONS[kind];
  return (
    <button
      type="button"
      className={styles.entry}
      data-testid={`dock-${kind}`}
      data-kind={kind}
      data-open={open > 0}
      aria-current={front}
      aria-label={open > 0 ? `${NAMES[kind]}, ${open} open` : NAMES[kind]}
      onClick={() => onSummon(kind)}
    >
      <Icon aria-hidden="true" />
      <span className={styles.name} aria-hidden="true">
        {NAMES[kind]}
      </span>
    </button>
  );
}
