// Keeps: a camera reads from the drawing exactly what it should carry, whatever the handle.
import decodeQR from "qr/decode.js";
import { expect, test } from "vitest";
import { drawQr } from "./qr.ts";

const SCALE = 4;

/** Paints the path as a browser does: a unit is a module, every run is a rectangle one unit high. */
function paint({ size, path }: { size: number; path: string }) {
  const width = size * SCALE;
  const data = new Uint8Array(width * width * 4).fill(255);
  for (const [, x, y, length] of path.matchAll(/M(\d+) (\d+)h(\d+)v1h-\d+z/g)) {
    for (let row = Number(y) * SCALE; row < (Number(y) + 1) * SCALE; row++) {
      for (let column = Number(x) * SCALE; column < (Number(x) + Number(length)) * SCALE; column++) data.set([0, 0, 0], (row * width + column) * 4);
    }
  }
  return { width, height: width, data };
}

test.each(["abc", "a".repeat(31)])("the drawing for %s reads back", (handle) => {
  const text = `otpauth://totp/Matrix%20OS:${handle}?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Matrix%20OS&algorithm=SHA1&digits=6&period=30`;
  expect(decodeQR(paint(drawQr(text)))).toBe(text);
});

test("there is a quiet zone of four modules on every side", () => {
  const { size, path } = drawQr("otpauth://totp/x?secret=JBSWY3DP");
  const runs = [...path.matchAll(/M(\d+) (\d+)h(\d+)/g)].map(([, x, y, length]) => [Number(x), Number(y), Number(x) + Number(length)] as const);
  expect(Math.min(...runs.flatMap(([x, y]) => [x, y]))).toBe(4);
  expect(Math.max(...runs.flatMap(([, y, end]) => [y + 1, end]))).toBe(size - 4);
});
