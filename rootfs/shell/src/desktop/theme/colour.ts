// Colours as numbers: how bright, how far apart, and in which direction of the colour wheel. Pure.

export type Rgb = readonly [number, number, number];

/** `#rrggbb` as three parts of 0 to 1; anything else is no colour. */
export function parseHex(text: string): Rgb | undefined {
  if (!/^#[\da-f]{6}$/i.test(text)) return undefined;
  const part = (at: number) => Number.parseInt(text.slice(at, at + 2), 16) / 255;
  return [part(1), part(3), part(5)];
}

export function toHex(rgb: Rgb): string {
  return `#${rgb.map((part) => Math.round(Math.min(1, Math.max(0, part)) * 255).toString(16).padStart(2, "0")).join("")}`;
}

const linear = (part: number) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
const gamma = (part: number) => (part <= 0.0031308 ? part * 12.92 : 1.055 * part ** (1 / 2.4) - 0.055);

/** Relative luminance (WCAG 2.2). */
function luminance(rgb: Rgb): number {
  const [r, g, b] = rgb.map(linear) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** Contrast ratio (WCAG 2.2), 1 to 21. */
export function contrast(one: Rgb, other: Rgb): number {
  const [a = 0, b = 0] = [luminance(one), luminance(other)].sort((x, y) => y - x);
  return (a + 0.05) / (b + 0.05);
}

export interface Oklch {
  light: number;
  chroma: number;
  /** Degrees. */
  hue: number;
}

/** Björn Ottosson's OKLab in polar form, as CSS Color 4 has it. */
export function toOklch(rgb: Rgb): Oklch {
  const [r, g, b] = rgb.map(linear) as [number, number, number];
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  const a = 1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s;
  const c = 0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s;
  const light = 0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s;
  return { light, chroma: Math.hypot(a, c), hue: ((Math.atan2(c, a) * 180) / Math.PI + 360) % 360 };
}

/** Back again; what a screen cannot show is cut off. */
export function fromOklch({ light, chroma, hue }: Oklch): Rgb {
  const [a, c] = [chroma * Math.cos((hue * Math.PI) / 180), chroma * Math.sin((hue * Math.PI) / 180)];
  const l = (light + 0.3963377774 * a + 0.2158037573 * c) ** 3;
  const m = (light - 0.1055613458 * a - 0.0638541728 * c) ** 3;
  const s = (light - 0.0894841775 * a - 1.291485548 * c) ** 3;
  const parts = [4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s, -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s, -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s];
  return parts.map((part) => Math.min(1, Math.max(0, gamma(Math.min(1, Math.max(0, part)))))) as unknown as Rgb;
}

/** The same colour, as much lighter or darker as it takes to be read on all of these grounds. */
export function readable(colour: Rgb, grounds: readonly Rgb[], lighter: boolean, least = 4.6): Rgb {
  const { light, chroma, hue } = toOklch(colour);
  for (let step = 0; step <= 40; step++) {
    const next = fromOklch({ light: lighter ? light + (1 - light) * (step / 40) : light * (1 - step / 40), chroma: chroma * (1 - step / 60), hue });
    // Rounded as it will be shown.
    const shown = parseHex(toHex(next)) ?? next;
    if (grounds.every((ground) => contrast(shown, ground) >= least)) return shown;
  }
  return lighter ? [1, 1, 1] : [0, 0, 0];
}
