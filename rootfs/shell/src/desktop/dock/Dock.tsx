// The dock; under 768 px the same entries as a bar of tabs.
import { House } from "lucide-react";
import { KIND_ICONS } from "../windows/icons.tsx";
import { IN_DOCK, NAMES, type Kind } from "../windows/kinds.ts";
import { ofKind, type Layout } from "../windows/layout.ts";
import styles from "./dock.module.css";

interface Props {
  layout: Layout;
  front: Kind | undefined;
  phone: boolean;
  onSummon: (kind: Kind) => void;
  onHome: () => void;
}

export function Dock({ layout, front, phone, onSummon, onHome }: Props) {
  return (
    <nav className={phone ? styles.tabs : styles.dock} aria-label="Dock" data-dock>
      {phone && (
        <button type="button" className={styles.entry} aria-current={front === undefined} onClick={onHome}>
          <House aria-hidden="true" />
          <span className={styles.name}>Home</span>
        </button>
      )}
      {IN_DOCK.map((kind) => (
        <Entry key={kind} kind={kind} open={ofKind(layout, kind).length} front={front === kind} onSummon={onSummon} />
      ))}
    </nav>
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
