// Where a window can go, as a menu: all places that dragging reaches, for the keyboard too.
import { LayoutGrid } from "lucide-react";
import { IconButton } from "@matrixos/look/Button.tsx";
import { Menu, MenuItem, MenuNote } from "../../parts/Menu.tsx";
import type { Snap } from "./geometry.ts";
import styles from "./titlebar.module.css";

const PLACES: [Snap | undefined, string, string?][] = [
  ["full", "Fill the screen", "↑"],
  ["left", "Left half", "←"],
  ["right", "Right half", "→"],
  ["top-left", "Top left"],
  ["top-right", "Top right"],
  ["bottom-left", "Bottom left"],
  ["bottom-right", "Bottom right"],
  [undefined, "Free", "↓"],
];

export function PlaceMenu({ snap, onPlace }: { snap: Snap | undefined; onPlace: (snap: Snap | undefined) => void }) {
  const trigger = (
    <IconButton label="Place this window" className={styles.act}>
      <LayoutGrid aria-hidden="true" />
    </IconButton>
  );
  return (
    <Menu trigger={trigger}>
      {PLACES.map(([place, name, key]) => (
        <MenuItem key={name} chosen={place === snap} keys={key && `Ctrl Alt ${key}`} onSelect={() => onPlace(place)}>
          {name}
        </MenuItem>
      ))}
      <MenuNote>Ctrl Alt N: next window</MenuNote>
      <MenuNote>Ctrl Alt D: to the dock</MenuNote>
    </Menu>
  );
}
