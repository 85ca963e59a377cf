// A QR code as one SVG path, drawn here: the secret in it goes to nobody else.
import encodeQR from "qr";

export interface Drawing {
  /** Modules on a side, with the quiet zone. */
  size: number;
  /** Path data: one unit per module. */
  path: string;
}

/** Light modules around the code (ISO/IEC 18004, 9.1). */
const QUIET = 4;

export function drawQr(text: string): Drawing {
  const rows = encodeQR(text, "raw", { ecc: "medium", border: QUIET });
  return { size: rows.length, path: rows.map((row, y) => runs(row).map(([x, length]) => `M${x} ${y}h${length}v1h-${length}z`).join("")).join("") };
}

/** The dark runs of one row, as `[start, length]`. */
function runs(row: readonly boolean[]): [number, number][] {
  const found: [number, number][] = [];
  row.forEach((dark, x) => {
    const last = found.at(-1);
    if (dark && last && last[0] + last[1] === x) last[1] += 1;
    else if (dark) found.push([x, 1]);
  });
  return found;
}
