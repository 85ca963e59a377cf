// How the desktop looks. What is chosen is shown at once and kept on the computer, where the AI can change it too.
import { useState } from "react";
import { hueOf } from "@matrixos/look/hue.ts";
import { useHandle } from "../../../desktop/handle.ts";
import { changeTheme, useTheme } from "../../../desktop/theme/store.ts";
import { wallpaperOf, type Appearance } from "../../../desktop/theme/theme.ts";
import { messageOf } from "../../../gateway/http.ts";
import { Choice } from "../../../parts/form/Field.tsx";
import { PictureButton } from "../PictureButton.tsx";
import { Swatches, type Swatch } from "../Swatches.tsx";
import styles from "../settings.module.css";

const APPEARANCES: { value: Appearance; name: string }[] = [
  { value: "system", name: "As this device" },
  { value: "light", name: "Light" },
  { value: "dark", name: "Dark" },
];

const ACCENTS: Swatch[] = [
  { value: "", name: "Green, the usual one", paint: "#0a7c52" },
  { value: "#1f6feb", name: "Blue", paint: "#1f6feb" },
  { value: "#7c5cff", name: "Violet", paint: "#7c5cff" },
  { value: "#c2408f", name: "Pink", paint: "#c2408f" },
  { value: "#d1442f", name: "Red", paint: "#d1442f" },
  { value: "#c26a00", name: "Orange", paint: "#c26a00" },
  { value: "#0e8a8a", name: "Teal", paint: "#0e8a8a" },
  { value: "#6b7280", name: "Grey", paint: "#6b7280" },
];

const sky = (hue: number, tint = 1) => `linear-gradient(135deg, oklch(0.9 ${0.08 * tint} ${hue + 40}), oklch(0.72 ${0.12 * tint} ${hue - 20}))`;

const WALLPAPERS: Swatch[] = [
  { value: "#3b82f6", name: "Sky", paint: sky(260) },
  { value: "#0f9f8f", name: "Sea", paint: sky(185) },
  { value: "#4f9d3a", name: "Meadow", paint: sky(140) },
  { value: "#d99a1c", name: "Sand", paint: sky(78) },
  { value: "#d9603b", name: "Clay", paint: sky(40) },
  { value: "#c2408f", name: "Heather", paint: sky(345) },
  { value: "#808080", name: "Stone", paint: sky(0, 0) },
];

export function AppearancePage() {
  const theme = useTheme();
  const handle = useHandle();
  const [problem, setProblem] = useState<string>();
  const change = (next: Parameters<typeof changeTheme>[0]) => {
    setProblem(undefined);
    changeTheme(next).catch((error: unknown) => setProblem(messageOf(error)));
  };
  const wallpaper = wallpaperOf(theme);
  const own: Swatch = { value: "", name: "Made of your handle", paint: sky(hueOf(handle)) };
  return (
    <div className={styles.form}>
      {problem && (
        <p className={styles.problem} role="alert">
          Not changed. {problem}
        </p>
      )}
      <Choice row label="Light or dark" options={APPEARANCES} value={theme.appearance} onChange={(appearance) => change({ appearance })} />
      <Swatches label="Accent" swatches={ACCENTS} value={theme.accent ?? ""} onChange={(accent) => change({ accent: accent || null })} />
      <Swatches label="Wallpaper" wide swatches={[own, ...WALLPAPERS]} value={wallpaper.is === "picture" ? undefined : (theme.wallpaper ?? "")} onChange={(colour) => change({ wallpaper: colour || null })} />
      <PictureButton chosen={wallpaper.is === "picture" ? wallpaper.path : undefined} onChosen={(path) => change({ wallpaper: path })} onProblem={setProblem} />
      <p className={styles.lead}>Accents are made as light or dark as it takes to be read. You can also ask your AI, for example to “make it dark” or to “paint me a wallpaper of a harbour”.</p>
    </div>
  );
}
