// Asks the desktop for a window from anywhere: the palette, a badge, a link within another window.
import type { Kind } from "./windows/kinds.ts";

export interface Wanted {
  kind: Kind;
  /** What it shows: a page of the settings, a file, a folder. */
  subject?: string;
}

type Listener = (wanted: Wanted) => void;
const listeners = new Set<Listener>();

/** Brings the window of that kind that shows `subject` forward, or opens one. */
export function openWindow(kind: Kind, subject?: string) {
  for (const listener of [...listeners]) listener(subject === undefined ? { kind } : { kind, subject });
}

export function onOpenWindow(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
