// How the desktop looks, as `system/theme.json` says it. Its owner and their AI both write that file: what makes no sense is left out.
import { contrast, fromOklch, parseHex, readable, toHex, toOklch, type Rgb } from "./colour.ts";

export const APPEARANCES = ["system", "light", "dark"] as const;
export type Appearance = (typeof APPEARANCES)[number];

export interface Theme {
  appearance: Appearance;
  /** `#rrggbb`; without one the accent is that of the house. */
  accent?: string;
  /** A colour as `#rrggbb`, or the path of a picture in the home; without one it is made of the handle. */
  wallpaper?: string;
}

export function parseTheme(stored: unknown): Theme {
  const known = (typeof stored === "object" && stored !== null ? stored : {}) as Record<string, unknown>;
  const theme: Theme = { appearance: APPEARANCES.find((one) => one === known.appearance) ?? "system" };
  if (typeof known.accent === "string" && parseHex(known.accent)) theme.accent = known.accent.toLowerCase();
  if (typeof known.wallpaper === "string" && known.wallpaper) theme.wallpaper = known.wallpaper;
  return theme;
}

export const isDark = ({ appearance }: Theme, systemIsDark: boolean) => (appearance === "system" ? systemIsDark : appearance === "dark");

export type Wallpaper = { is: "handle" } | { is: "colour"; hue: number; tint: number } | { is: "picture"; path: string };

/** A chroma of this much is as colourful as the handle's own wallpaper. */
const USUAL_CHROMA = 0.11;

export function wallpaperOf({ wallpaper }: Theme): Wallpaper {
  if (!wallpaper) return { is: "handle" };
  const rgb = parseHex(wallpaper);
  if (rgb) {
    const { chroma, hue } = toOklch(rgb);
    return { is: "colour", hue: Math.round(hue), tint: Math.min(1.6, Math.round((chroma / USUAL_CHROMA) * 100) / 100) };
  }
  const path = wallpaper.replace(/^(\.?\/|~\/)+/, "");
  return path && !path.startsWith("#") ? { is: "picture", path } : { is: "handle" };
}

/** The grounds on which accents are read: bg, surface and surface-2 of `tokens.css`. */
const GROUNDS: Record<"light" | "dark", readonly Rgb[]> = {
  light: hexes("#fafaf7", "#ffffff", "#f2f2ec"),
  dark: hexes("#0e1116", "#151a21", "#1c222b"),
};

function hexes(...texts: string[]): readonly Rgb[] {
  return texts.map((text) => parseHex(text) as Rgb);
}

/** The tokens that an accent sets: made as light or dark as it takes to be read. Nothing without one. */
export function accentTokens({ accent }: Theme, dark: boolean): Record<string, string> {
  const chosen = accent && parseHex(accent);
  if (!chosen) return {};
  const shown = readable(chosen, GROUNDS[dark ? "dark" : "light"], dark);
  const [black, white]: [Rgb, Rgb] = [parseHex("#0b0d10") as Rgb, [1, 1, 1]];
  const { chroma, hue } = toOklch(shown);
  const soft = fromOklch({ light: dark ? 0.28 : 0.95, chroma: Math.min(chroma, dark ? 0.045 : 0.03), hue });
  return {
    "--accent": toHex(shown),
    "--accent-fg": toHex(contrast(shown, white) >= contrast(shown, black) ? white : black),
    "--accent-soft": toHex(soft),
  };
}
