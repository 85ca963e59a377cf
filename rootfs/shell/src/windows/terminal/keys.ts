// What the helper keys of a phone send, how a held Ctrl changes what is typed next, and what is no typing at all.

export const HELPER_KEYS = [
  { name: "Esc", sends: "\x1b" },
  { name: "Tab", sends: "\t" },
  { name: "Ctrl", sends: undefined },
  { name: "←", says: "Left", sends: "\x1b[D" },
  { name: "↓", says: "Down", sends: "\x1b[B" },
  { name: "↑", says: "Up", sends: "\x1b[A" },
  { name: "→", says: "Right", sends: "\x1b[C" },
  { name: "|", says: "Pipe", sends: "|" },
  { name: "/", says: "Slash", sends: "/" },
] as const;

/** Ctrl and a character, as terminals encode it (ASCII: the lower five bits); anything else is left as it is. */
export function withCtrl(typed: string): string {
  if (!/^[@-_a-z?]/.test(typed)) return typed;
  const first = typed[0] === "?" ? "\x7f" : String.fromCharCode(typed.toUpperCase().charCodeAt(0) & 0x1f);
  return first + typed.slice(1);
}

/**
 * True for what xterm says by itself when a program asks it something: its kind, its state, where the cursor is (ECMA-48 DA, DSR and CPR,
 * xterm's DECRPM and window reports, OSC and DCS answers). Questions in a replay were answered long ago, and must not be typed again.
 */
export function isReport(text: string): boolean {
  return /^\x1b(\[[?>]?[\d;]*\$?[cnRyt]|[\]P])/.test(text);
}
