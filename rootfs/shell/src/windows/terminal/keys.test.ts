import { expect, it } from "vitest";
import { isReport, withCtrl } from "./keys.ts";

it("a held Ctrl makes control characters, and leaves alone what has none", () => {
  expect(withCtrl("c")).toBe("\x03");
  expect(withCtrl("[")).toBe("\x1b");
  expect(withCtrl("?")).toBe("\x7f");
  expect(withCtrl("dq")).toBe("\x04q");
  expect(withCtrl("é")).toBe("é");
  expect(withCtrl("\x1b[A")).toBe("\x1b[A");
});

it("answers of the terminal itself are told from keys", () => {
  for (const report of ["\x1b[?1;2c", "\x1b[>0;276;0c", "\x1b[0n", "\x1b[12;40R", "\x1b[?2026;2$y", "\x1b]11;rgb:ff/ff/ff\x1b\\", "\x1bP1$r0m\x1b\\"]) {
    expect(isReport(report), JSON.stringify(report)).toBe(true);
  }
  for (const key of ["c", "\r", "\x1b", "\x1b[A", "\x1bOP", "\x1b[3~", "\x1b[1;5D", "\x1b[200~pasted\x1b[201~"]) {
    expect(isReport(key), JSON.stringify(key)).toBe(false);
  }
});
