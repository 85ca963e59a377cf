// Windows that have something to ask before they are closed, such as what becomes of text that is not saved.

/** Asks, and returns true, if there is something to ask. */
type Guard = () => boolean;
const guards = new Map<string, Guard>();

/** Until the returned function is called, `guard` is heard before that window is closed by its owner. */
export function guardWindow(id: string, guard: Guard): () => void {
  guards.set(id, guard);
  return () => {
    if (guards.get(id) === guard) guards.delete(id);
  };
}

/** False when the window asks first; it closes itself then, if that is the answer. */
export const mayClose = (id: string): boolean => !guards.get(id)?.();
