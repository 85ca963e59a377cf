// Every handle has a colour of its own: the same on its profile, its avatar and its desktop's wallpaper.

/** A hue in degrees, 0 to 359, that depends on the handle alone (FNV-1a, 32 bit). */
export function hueOf(handle: string): number {
  let hash = 0x811c9dc5;
  for (const char of handle) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  return hash % 360;
}
