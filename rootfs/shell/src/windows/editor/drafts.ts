// Text that was typed and not saved, for each file; it outlives its window, a reload and a page that ends unasked.

export interface Draft {
  text: string;
  /** What the file held when this was begun. */
  base: string;
  /** Lines end as on Windows. */
  windows: boolean;
}

const PREFIX = "matrixos.text.";

export function draftOf(path: string, store: Pick<Storage, "getItem"> = localStorage): Draft | undefined {
  try {
    const draft = JSON.parse(store.getItem(PREFIX + path) ?? "null") as Partial<Draft> | null;
    if (typeof draft?.text !== "string" || typeof draft.base !== "string") return undefined;
    return { text: draft.text, base: draft.base, windows: draft.windows === true };
  } catch {
    return undefined;
  }
}

/** False if there is no room for it, or the browser keeps nothing: it lives no longer than its window then. */
export function keepDraft(path: string, draft: Draft | undefined, store: Pick<Storage, "setItem" | "removeItem"> = localStorage): boolean {
  try {
    if (draft) store.setItem(PREFIX + path, JSON.stringify(draft));
    else store.removeItem(PREFIX + path);
    return true;
  } catch {
    return false;
  }
}
