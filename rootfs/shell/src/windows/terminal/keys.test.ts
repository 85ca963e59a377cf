import { expect, it } from "vitest";
import { withCtrl } from "./keys.ts";

it("a held Ctrl makes control characters, and leaves alone what has none", () => {
  expect(withCtrl("c")).toBe("\x03");
  expect(withCtrl("[")).toBe("\x1b");
  expect(withCtrl("?")).toBe("\x7f");
  expect(withCtrl("dq")).toBe("\x04q");
  expect(withCtrl("é")).toBe("é");
  expect(withCtrl("\x1b[A")).toBe("\x1b[A");
});
