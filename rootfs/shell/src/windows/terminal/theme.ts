// The terminal's colours: ground, text and accent from the tokens, the sixteen of ANSI tuned to read well on both grounds.
import type { ITheme } from "@xterm/xterm";

const LIGHT: ITheme = {
  black: "#16181d", red: "#b3261e", green: "#0a7c52", yellow: "#8f6000", blue: "#1f5fbf", magenta: "#8a3ab9", cyan: "#0b7285", white: "#6b7078",
  brightBlack: "#5a6069", brightRed: "#c2362b", brightGreen: "#0a7c52", brightYellow: "#8a5d00", brightBlue: "#2463c4", brightMagenta: "#8f44bf", brightCyan: "#0b7285", brightWhite: "#16181d",
};

const DARK: ITheme = {
  black: "#29313c", red: "#ff7b6e", green: "#3ddc97", yellow: "#e3b341", blue: "#79b8ff", magenta: "#d2a8ff", cyan: "#66d9e8", white: "#c9d1d9",
  brightBlack: "#7d8794", brightRed: "#ffa198", brightGreen: "#7ee8b8", brightYellow: "#f2cc60", brightBlue: "#a5d0ff", brightMagenta: "#e2c5ff", brightCyan: "#99e9f2", brightWhite: "#ffffff",
};

/** Reads the tokens as they are now; ask again when the colour scheme changes. */
export function terminalTheme(dark: boolean): ITheme {
  const tokens = getComputedStyle(document.documentElement);
  const token = (name: string) => tokens.getPropertyValue(name).trim();
  return {
    ...(dark ? DARK : LIGHT),
    background: token("--surface"),
    foreground: token("--fg"),
    cursor: token("--accent"),
    cursorAccent: token("--surface"),
    selectionBackground: `${token("--accent")}44`,
    scrollbarSliderBackground: `${token("--fg-2")}44`,
    scrollbarSliderHoverBackground: `${token("--fg-2")}77`,
    scrollbarSliderActiveBackground: `${token("--fg-2")}99`,
  };
}
