// The theme of this page: read from the computer, shown at once when it is changed, and redrawn when the file changes.
import { useSyncExternalStore } from "react";
import { askJson, sendJson } from "../../gateway/http.ts";
import { currentLink, onLink } from "../../gateway/link.ts";
import { onFileChange } from "../../gateway/live.ts";
import { accentTokens, isDark, parseTheme, type Theme } from "./theme.ts";

const THEME_FILE = "system/theme.json";
/** What was shown last, so that the next visit does not begin in another colour. */
const KEPT = "matrixos.theme";
const ADDRESS = "/api/settings/appearance";
const TOKENS = ["--accent", "--accent-fg", "--accent-soft"];

const system = matchMedia("(prefers-color-scheme: dark)");
const listeners = new Set<() => void>();
let theme = parseTheme(kept());
let changes = 0;

export const currentTheme = () => theme;
export const themeIsDark = () => isDark(theme, system.matches);

export function onTheme(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export const useTheme = () => useSyncExternalStore(onTheme, currentTheme);
/** Whether this page is dark now, whoever decided it. */
export const useIsDark = () => useSyncExternalStore(onTheme, themeIsDark);

function show(next: Theme) {
  if (JSON.stringify(next) !== JSON.stringify(theme)) theme = next;
  const root = document.documentElement;
  const dark = themeIsDark();
  root.dataset.theme = dark ? "dark" : "light";
  const tokens = accentTokens(theme, dark);
  for (const token of TOKENS) {
    if (tokens[token]) root.style.setProperty(token, tokens[token]);
    else root.style.removeProperty(token);
  }
  for (const meta of document.querySelectorAll<HTMLMetaElement>('meta[name="theme-color"]')) meta.content = dark ? "#0e1116" : "#fafaf7";
  for (const listener of [...listeners]) listener();
}

/** Reads the theme anew, and again when the computer has come back should it be away. */
export async function readTheme(): Promise<void> {
  const before = changes;
  const stored = await askJson<unknown>(ADDRESS);
  // What was chosen meanwhile is newer.
  if (before === changes) keep(parseTheme(stored));
}

/** Shows the change at once and has the computer keep it; should that fail, all is as before. Null removes. */
export async function changeTheme(change: { [Name in keyof Theme]?: Theme[Name] | null }): Promise<void> {
  const before = theme;
  const mine = ++changes;
  keep(parseTheme({ ...theme, ...change }));
  try {
    await sendJson("PUT", ADDRESS, change);
  } catch (error) {
    if (mine === changes) keep(before);
    throw error;
  }
}

/** Begins to show the theme; returns how to end it. */
export function watchTheme(): () => void {
  const again = () => show(theme);
  const look = () => void readTheme().catch(() => undefined);
  const back = () => currentLink() === "connected" && look();
  const visible = () => document.visibilityState === "visible" && currentLink() === "connected" && look();
  again();
  look();
  system.addEventListener("change", again);
  document.addEventListener("visibilitychange", visible);
  const forgetLink = onLink(back);
  const forgetFiles = onFileChange((path) => path === THEME_FILE, look);
  return () => {
    system.removeEventListener("change", again);
    document.removeEventListener("visibilitychange", visible);
    forgetLink();
    forgetFiles();
  };
}

function keep(next: Theme) {
  show(next);
  try {
    localStorage.setItem(KEPT, JSON.stringify(next));
  } catch {
    // Not allowed here: the next visit begins as the system has it.
  }
}

function kept(): unknown {
  try {
    return JSON.parse(localStorage.getItem(KEPT) ?? "null");
  } catch {
    return undefined;
  }
}
