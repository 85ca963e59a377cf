// One file or folder, with all that can be done to it.
import { Download, EllipsisVertical, File, FileImage, FileText, Folder, Link2, PencilLine, SquarePen, Trash2, type LucideIcon } from "lucide-react";
import type { FocusEventHandler, Ref } from "react";
import { IconButton } from "@matrixos/look/Button.tsx";
import type { Entry } from "../../gateway/files.ts";
import { Menu, MenuItem, MenuLine } from "../../parts/Menu.tsx";
import { bytes, when } from "../../parts/units.ts";
import { NameField } from "./NameField.tsx";
import { isImage } from "./paths.ts";
import styles from "./files.module.css";

export interface RowActs {
  onOpen: (entry: Entry) => void;
  onEdit: (entry: Entry) => void;
  onDownload: (entry: Entry) => void;
  onRename: (entry: Entry, name: string) => void;
  onTrash: (entry: Entry) => void;
  /** Begins to rename the entry of this name, or ends it; `focus` goes to this row then. */
  onNaming: (name: string | undefined, focus?: string) => void;
}

interface Props extends RowActs {
  entry: Entry;
  naming: boolean;
  /** The one row that the Tab key reaches. */
  reachable: boolean;
  onFocus: FocusEventHandler;
  ref?: Ref<HTMLDivElement>;
}

export function FileRow({ entry, naming, reachable, onFocus, ref, ...acts }: Props) {
  const Icon = iconOf(entry);
  return (
    <div
      ref={ref}
      role="row"
      tabIndex={reachable ? 0 : -1}
      className={styles.row}
      data-name={entry.name}
      data-hidden={entry.name.startsWith(".")}
      onFocus={onFocus}
      onDoubleClick={() => acts.onOpen(entry)}
      onContextMenu={(event) => openMenu(event.currentTarget) && event.preventDefault()}
    >
      <Icon className={styles.kind} data-kind={entry.kind} aria-hidden="true" />
      <span role="gridcell" className={styles.name}>
        {naming ? (
          <NameField label={`New name of ${entry.name}`} initial={entry.name} onName={(name) => acts.onRename(entry, name)} onCancel={(byKey) => acts.onNaming(undefined, byKey ? entry.name : undefined)} />
        ) : (
          <button type="button" tabIndex={-1} className={styles.open} disabled={entry.lossy === true} onClick={() => acts.onOpen(entry)}>
            {entry.name}
          </button>
        )}
      </span>
      <span role="gridcell" className={styles.size}>
        {entry.kind === "file" ? bytes(entry.size) : ""}
      </span>
      <span role="gridcell" className={styles.date}>
        {entry.modified !== null ? when(new Date(entry.modified)) : ""}
      </span>
      <span role="gridcell" className={styles.more}>
        {!entry.lossy && <RowMenu entry={entry} reachable={reachable} {...acts} />}
      </span>
    </div>
  );
}

/** As if its button had been pressed by key, so that the menu's first entry has the focus. */
export function openMenu(row: Element): boolean {
  const more = row.querySelector<HTMLElement>("[data-more]");
  more?.focus();
  more?.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true }));
  return more !== null;
}

function RowMenu({ entry, reachable, onEdit, onDownload, onNaming, onTrash }: RowActs & Pick<Props, "entry" | "reachable">) {
  const trigger = (
    <IconButton label={`What to do with ${entry.name}`} tabIndex={reachable ? 0 : -1} data-more>
      <EllipsisVertical aria-hidden="true" />
    </IconButton>
  );
  return (
    <Menu trigger={trigger}>
      {entry.kind === "file" && !isImage(entry.name) && (
        <MenuItem icon={<SquarePen />} onSelect={() => onEdit(entry)}>
          Edit
        </MenuItem>
      )}
      {entry.kind !== "directory" && (
        <MenuItem icon={<Download />} onSelect={() => onDownload(entry)}>
          Download
        </MenuItem>
      )}
      <MenuItem icon={<PencilLine />} keys="F2" onSelect={() => onNaming(entry.name)}>
        Rename
      </MenuItem>
      <MenuLine />
      <MenuItem icon={<Trash2 />} keys="Del" danger onSelect={() => onTrash(entry)}>
        Move to trash
      </MenuItem>
    </Menu>
  );
}

function iconOf({ kind, name }: Entry): LucideIcon {
  if (kind === "directory") return Folder;
  if (kind === "symlink") return Link2;
  if (isImage(name)) return FileImage;
  return /\.(md|txt|json|js|ts|py|rs|sh|html|css|toml|ya?ml)$/i.test(name) ? FileText : File;
}
