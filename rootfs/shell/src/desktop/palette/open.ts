// Whether the palette is asked for: by its keys, by a button, by an app in its frame.

type Listener = () => void;
const listeners = new Set<Listener>();

export function openPalette() {
  for (const listener of [...listeners]) listener();
}

export function onOpenPalette(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Ctrl-K or Cmd-K anywhere. In a terminal Ctrl-K belongs to the shell; there, as everywhere, Ctrl-Shift-K does it as well. */
export function isPaletteKey(event: Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "altKey" | "shiftKey">, inTerminal: boolean): boolean {
  if (event.altKey || event.key.toLowerCase() !== "k") return false;
  if (event.metaKey && !event.ctrlKey) return true;
  return event.ctrlKey && !event.metaKey && (event.shiftKey || !inTerminal);
}
