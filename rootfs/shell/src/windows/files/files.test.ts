import { expect, it } from "vitest";
import type { Entry } from "../../gateway/files.ts";
import { freeName, shown } from "./order.ts";
import { baseName, contentUrl, join, nameProblem, parent, steps } from "./paths.ts";
import { textOf } from "./text.ts";
import { trashed } from "./trash.ts";

it("paths are taken apart and put together within the home", () => {
  expect(join("", "a")).toBe("a");
  expect(join("a/b", "c")).toBe("a/b/c");
  expect(parent("a/b/c")).toBe("a/b");
  expect(parent("a")).toBe("");
  expect(baseName("a/b/c.txt")).toBe("c.txt");
  expect(steps("a/b").map((s) => s.path)).toEqual(["", "a", "a/b"]);
});

it("every name makes an address that leads to that very file", () => {
  for (const name of ["a b", "50%", "what?", "#1", "ünï", "a&b=c", "%2e%2e"]) {
    const { pathname } = new URL(contentUrl(`dir/${name}`), "http://computer");
    expect(decodeURIComponent(pathname.slice("/files/dir/".length))).toBe(name);
  }
});

it("names that a file cannot have are refused with a reason", () => {
  for (const bad of ["", ".", "..", "a/b", "a\0b", "ü".repeat(128)]) expect(nameProblem(bad), bad).toBeTypeOf("string");
  for (const good of ["a", ".bashrc", "a b.txt", "ü".repeat(127)]) expect(nameProblem(good), good).toBeUndefined();
});

it("an upload never takes the name of another file", () => {
  expect(freeName("a.txt", new Set())).toBe("a.txt");
  expect(freeName("a.txt", new Set(["a.txt", "a (2).txt"]))).toBe("a (3).txt");
  expect(freeName(".env", new Set([".env"]))).toBe(".env (2)");
});

it("folders come first, numbers count, hidden files stay hidden until asked for", () => {
  const entry = (name: string, kind: Entry["kind"] = "file"): Entry => ({ name, kind, size: 1, modified: null });
  const entries = [entry("b10"), entry("b2"), entry("z", "directory"), entry(".git", "directory")];
  expect(shown(entries, false).map((e) => e.name)).toEqual(["z", "b2", "b10"]);
  expect(shown(entries, true)).toHaveLength(4);
});

it("bytes that are no text are not shown as text, a cut character does not matter", () => {
  const encode = (text: string) => new TextEncoder().encode(text);
  expect(textOf(encode("grün"))).toBe("grün");
  expect(textOf(encode("grü").slice(0, -1))).toBe("gr");
  expect(textOf(encode("grü").slice(0, -1), true)).toBeUndefined();
  expect(encode(textOf(new Uint8Array([0xef, 0xbb, 0xbf, 0x41]), true) ?? "")).toHaveLength(4);
  expect(textOf(new Uint8Array([0x50, 0, 1]))).toBeUndefined();
  expect(textOf(new Uint8Array([0xff, 0xfe, 0x41]))).toBeUndefined();
});

it("the trash shows names as they were, the last deleted first, and nothing of its own records", () => {
  const entry = (name: string): Entry => ({ name, kind: "file", size: 1, modified: null });
  const shown = trashed([entry("1700000000000-a-b.txt"), entry(".from"), entry("1800000000000-new"), entry("2024-notes"), { ...entry("1800000000001-x"), lossy: true }]);
  expect(shown.map(({ name, when }) => [name, when])).toEqual([["new", 1_800_000_000_000], ["a-b.txt", 1_700_000_000_000], ["2024-notes", undefined]]);
  expect(shown[1]?.path).toBe(".trash/1700000000000-a-b.txt");
});
