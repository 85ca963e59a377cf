import { expect, it } from "vitest";
import { search } from "./search.ts";

const ENTRIES = [
  { name: "Terminal", also: "shell command line" },
  { name: "Settings: Appearance", also: "Light or dark, accent, wallpaper" },
  { name: "Make it dark", also: "theme appearance" },
  { name: "Café finder", also: "app" },
];
const found = (typed: string) => search(ENTRIES, typed).map(({ name }) => name);

it("the best answer comes first: a name before other words, the beginning of a word before its middle", () => {
  expect(found("dark")).toEqual(["Make it dark", "Settings: Appearance"]);
  expect(found("app")).toEqual(["Settings: Appearance", "Make it dark", "Café finder"]);
  expect(found("term")).toEqual(["Terminal"]);
  expect(found("minal")).toEqual(["Terminal"]);
});

it("every word must be answered, accents and case do not matter, and nothing typed finds all", () => {
  expect(found("cafe FIND")).toEqual(["Café finder"]);
  expect(found("dark terminal")).toEqual([]);
  expect(found("  ")).toHaveLength(ENTRIES.length);
});
