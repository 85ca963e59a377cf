// Keeps: codes are taken as people type them, refused with a reason, and kept in a file that says what it is.
import { expect, test } from "vitest";
import { bare, codeTrouble, codesFile, grouped } from "./codes.ts";

test("a code is sent without the spaces and hyphens that people copy along", () => {
  expect([" 123 456 ", "ab12-cd34-ef56", "123456\n"].map(bare)).toEqual(["123456", "ab12cd34ef56", "123456"]);
});

test("what cannot be a code is refused here, with what to do", () => {
  for (const good of ["123456", "123 456", "123-456"]) expect(codeTrouble(good, "app"), good).toBeUndefined();
  for (const bad of ["", "12345", "1234567", "12345a", "١٢٣٤٥٦"]) expect(codeTrouble(bad, "app"), bad).toContain("six digits");
  expect(codeTrouble("ab12-cd34", "recovery")).toBeUndefined();
  expect(codeTrouble("  - ", "recovery")).toContain("recovery codes");
});

test("a secret is shown in groups and loses nothing", () => {
  expect(grouped("JBSWY3DPEHPK3PXP")).toBe("JBSW Y3DP EHPK 3PXP");
  expect(bare(grouped("JBSWY3DPEHP"))).toBe("JBSWY3DPEHP");
});

test("the file names the account and holds every code on a line of its own", () => {
  const lines = codesFile("hamed", "example.org", ["aaaa-1", "bbbb-2"], "28 November 2026").split("\n");
  expect(lines[0]).toBe("Recovery codes of @hamed at example.org, made on 28 November 2026.");
  expect(lines).toEqual(expect.arrayContaining(["aaaa-1", "bbbb-2"]));
});
