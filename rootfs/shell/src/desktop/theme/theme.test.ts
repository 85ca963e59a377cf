import tokens from "@matrixos/look/tokens.css?raw";
import { expect, it } from "vitest";
import { contrast, fromOklch, parseHex, toHex, toOklch, type Rgb } from "./colour.ts";
import { accentTokens, isDark, parseTheme, wallpaperOf } from "./theme.ts";

const rgb = (hex: string) => parseHex(hex) as Rgb;

it("a theme that was written by hand, or by an AI, loses only what makes no sense", () => {
  expect(parseTheme({ appearance: "dark", accent: "#FF8800", wallpaper: "system/wallpapers/sea.svg" })).toEqual({ appearance: "dark", accent: "#ff8800", wallpaper: "system/wallpapers/sea.svg" });
  expect(parseTheme({ appearance: "pink", accent: "red", wallpaper: 7 })).toEqual({ appearance: "system" });
  for (const junk of [null, [], "dark", 3, undefined]) expect(parseTheme(junk)).toEqual({ appearance: "system" });
});

it("who chose light or dark gets it, whatever the system says", () => {
  expect(isDark({ appearance: "dark" }, false)).toBe(true);
  expect(isDark({ appearance: "light" }, true)).toBe(false);
  expect(isDark({ appearance: "system" }, true)).toBe(true);
});

it("colours are taken apart and put together as CSS does", () => {
  const { light, chroma, hue } = toOklch(rgb("#ff0000"));
  expect([light, chroma, hue].map((n) => Math.round(n * 100) / 100)).toEqual([0.63, 0.26, 29.23]);
  for (const hex of ["#000000", "#ffffff", "#0a7c52", "#c2362b", "#8844ff"]) expect(toHex(fromOklch(toOklch(rgb(hex))))).toBe(hex);
});

it("whatever accent is chosen can be read on every ground, and what stands on it as well", () => {
  for (const [mode, css] of [["light", tokens.split("@media")[0]], ["dark", tokens.split("@media")[1]]] as const) {
    const grounds = ["bg", "surface", "surface-2"].map((name) => rgb(new RegExp(`--${name}: (#[\\da-f]{6});`).exec(css ?? "")?.[1] ?? ""));
    for (const accent of ["#ffff00", "#000000", "#ffffff", "#0000ff", "#ff69b4", "#808080", "#00ff7f"]) {
      const set = accentTokens({ appearance: "system", accent }, mode === "dark");
      const shown = rgb(set["--accent"] ?? "");
      for (const ground of grounds) expect(contrast(shown, ground), `${accent} in ${mode}`).toBeGreaterThanOrEqual(4.5);
      expect(contrast(rgb(set["--accent-fg"] ?? ""), shown), `on ${accent} in ${mode}`).toBeGreaterThanOrEqual(4.5);
    }
  }
  expect(accentTokens({ appearance: "system" }, true)).toEqual({});
});

it("a wallpaper is a colour, a picture of the home, or made of the handle", () => {
  expect(wallpaperOf({ appearance: "system" })).toEqual({ is: "handle" });
  expect(wallpaperOf({ appearance: "system", wallpaper: "#808080" })).toMatchObject({ is: "colour", tint: 0 });
  expect(wallpaperOf({ appearance: "system", wallpaper: "#ff0000" })).toMatchObject({ is: "colour", hue: 29, tint: 1.6 });
  expect(wallpaperOf({ appearance: "system", wallpaper: "~/system/wallpapers/sea.svg" })).toEqual({ is: "picture", path: "system/wallpapers/sea.svg" });
  expect(wallpaperOf({ appearance: "system", wallpaper: "/" })).toEqual({ is: "handle" });
});
