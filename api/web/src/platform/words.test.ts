// Keeps: figures are readable and carry units.
import { expect, test } from "vitest";
import { day, duration, paragraphs, running } from "./words.ts";

test("durations carry their unit", () => {
  expect([0.4, 38.2, 1000, 1234, 30_000, 120_000].map(duration)).toEqual(["0 ms", "38 ms", "1 s", "1.2 s", "30 s", "2 min"]);
});

test("the counter is honest, also about none", () => {
  expect([0, 1, 12, 1234].map(running)).toEqual(["No computer is running right now", "1 computer running now", "12 computers running now", "1,234 computers running now"]);
});

test("dates are written out", () => {
  expect(day("2026-11-28T12:00:00Z")).toBe("28 November 2026");
});

test("an empty line begins a paragraph, and nothing in one is markup", () => {
  expect(paragraphs("\n# Hi\nthere\n \n\n\n<script>alert(1)</script>\n")).toEqual(["# Hi\nthere", "<script>alert(1)</script>"]);
  expect(paragraphs(" \n \n")).toEqual([]);
});
