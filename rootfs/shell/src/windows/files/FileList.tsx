// The rows of a folder as a grid for the keyboard: arrows move, Enter opens, F2 renames, Delete moves to the trash, Backspace goes up,
// the menu key shows all that can be done.
import { useEffect, useRef, useState, type KeyboardEvent, type ReactNode } from "react";
import type { Entry } from "../../gateway/files.ts";
import { FileRow, openMenu, type RowActs } from "./FileRow.tsx";
import { FIRST } from "./useFileActs.ts";
import styles from "./files.module.css";

interface Props extends RowActs {
  entries: Entry[];
  /** The name of the entry that is being renamed. */
  naming: string | undefined;
  onUp: () => void;
  /** The name of the entry that the focus goes to as soon as it is listed; `FIRST` is the first one. */
  wanted: string | undefined;
  onFocused: () => void;
  /** A row above all others, such as the name of a new folder. */
  first?: ReactNode;
}

export function FileList({ entries, naming, wanted, onFocused, onUp, first, ...acts }: Props) {
  const grid = useRef<HTMLDivElement>(null);
  const [reached, setReached] = useState<string>();
  const current = Math.max(0, entries.findIndex((entry) => entry.name === reached));

  const focusRow = (index: number) => {
    const rows = grid.current?.querySelectorAll<HTMLElement>("[data-name]");
    rows?.[Math.min(Math.max(index, 0), rows.length - 1)]?.focus();
  };

  const target = wanted === FIRST ? 0 : entries.findIndex((entry) => entry.name === wanted);
  useEffect(() => {
    if (wanted === undefined || target === -1) return;
    focusRow(target);
    onFocused();
  }, [wanted, target]);

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.altKey || event.metaKey || (event.target as Element).closest("button")) return;
    const act = keyActs[event.shiftKey && event.key === "F10" ? "ContextMenu" : event.key];
    if (!act) return;
    event.preventDefault();
    act();
  };
  const entry = entries[current];
  const keyActs: Record<string, () => void> = {
    ArrowDown: () => focusRow(current + 1),
    ArrowUp: () => focusRow(current - 1),
    Home: () => focusRow(0),
    End: () => focusRow(entries.length - 1),
    Backspace: onUp,
    Enter: () => entry && acts.onOpen(entry),
    F2: () => entry && acts.onNaming(entry.name),
    Delete: () => entry && acts.onTrash(entry),
    ContextMenu: () => {
      const row = grid.current?.querySelectorAll("[data-name]")[current];
      if (row) openMenu(row);
    },
  };

  return (
    <div ref={grid} role="grid" aria-label="Files" className={styles.list} onKeyDown={onKeyDown}>
      {first}
      {entries.map((item, index) => (
        <FileRow
          key={item.name}
          {...acts}
          entry={item}
          naming={naming === item.name}
          reachable={index === current}
          onFocus={() => setReached(item.name)}
        />
      ))}
    </div>
  );
}
