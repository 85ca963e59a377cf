// What the wallpaper is made of, as style of the desktop's root.
import type { CSSProperties } from "react";
import { hueOf } from "@matrixos/look/hue.ts";
import { contentUrl } from "../../windows/files/paths.ts";
import { useTheme } from "./store.ts";
import { wallpaperOf } from "./theme.ts";

export function useWallpaper(handle: string): { style: CSSProperties; "data-wallpaper": string } {
  const wallpaper = wallpaperOf(useTheme());
  const colour = wallpaper.is === "colour" ? wallpaper : { hue: hueOf(handle), tint: 1 };
  const style: Record<string, string | number> = { "--hue": colour.hue, "--tint": colour.tint };
  if (wallpaper.is === "picture") style["--picture"] = `url("${contentUrl(wallpaper.path).replaceAll("'", "%27")}")`;
  return { style, "data-wallpaper": wallpaper.is };
}
