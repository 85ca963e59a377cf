// Keeps: the contrast that the look promises (WCAG 2.2, 1.4.3 and 1.4.11).
import tokens from "@matrixos/look/tokens.css?raw";
import { expect, test } from "vitest";

type Theme = Record<string, string>;

function themeIn(css: string): Theme {
  return Object.fromEntries([...css.matchAll(/--([\w-]+): (#[\da-f]{6});/g)].map(([, name, value]) => [name, value]));
}

/** Relative luminance (WCAG 2.2, "relative luminance"). */
function luminance(hex: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(theme: Theme, one: string, other: string): number {
  const [a = 0, b = 0] = [one, other].map((name) => luminance(theme[name] ?? expect.fail(`no --${name}`))).sort((x, y) => y - x);
  return (a + 0.05) / (b + 0.05);
}

const [light = "", dark = "", chosen = ""] = tokens.split(/prefers-color-scheme: dark|data-theme="dark"/);

test.each([
  ["light", light],
  ["dark", dark],
])("text and edges can be read in the %s theme", (_, css) => {
  const theme = themeIn(css);
  for (const text of ["fg", "fg-2", "accent", "danger", "warn"]) {
    for (const ground of ["bg", "surface", "surface-2"]) expect(contrast(theme, text, ground), `${text} on ${ground}`).toBeGreaterThanOrEqual(4.5);
  }
  expect(contrast(theme, "accent-fg", "accent")).toBeGreaterThanOrEqual(4.5);
  expect(contrast(theme, "danger-fg", "danger")).toBeGreaterThanOrEqual(4.5);
  for (const ground of ["bg", "surface"]) expect(contrast(theme, "border-strong", ground), `edge on ${ground}`).toBeGreaterThanOrEqual(3);
});

test("dark is the same whether the system or its owner chose it", () => {
  expect(Object.keys(themeIn(dark)).length).toBeGreaterThan(10);
  expect(themeIn(chosen)).toEqual(themeIn(dark));
});
