// What was typed and not sent, per conversation; it outlives a reload.
const PREFIX = "matrixos.draft.";

export function draftOf(session: string): string {
  try {
    return localStorage.getItem(PREFIX + session) ?? "";
  } catch {
    return "";
  }
}

export function keepDraft(session: string, text: string) {
  try {
    if (text) localStorage.setItem(PREFIX + session, text);
    else localStorage.removeItem(PREFIX + session);
  } catch {
    // No room, or not allowed: it still stands in the field.
  }
}
