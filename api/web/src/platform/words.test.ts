// Keeps: figures are readable and carry units.
import { expect, test } from "vitest";
import { ago, day, duration, moment, paragraphs, running } from "./words.ts";

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

test("the past is told in the largest unit that fits, and as a date when it is long ago", () => {
  const now = Date.UTC(2026, 10, 28, 12) / 1000;
  expect([0, 59, 60, 3_599, 7_300, 90_000, 5 * 86_400].map((passed) => ago(now - passed, now))).toEqual(["just now", "just now", "1 minute ago", "59 minutes ago", "2 hours ago", "yesterday", "5 days ago"]);
  expect(ago(now - 40 * 86_400, now)).toBe("19 October 2026");
  // A clock that is behind the platform's sees the future; nobody needs to know.
  expect(ago(now + 30, now)).toBe("just now");
});

test("a deadline is told with its time of day", () => {
  expect(moment(new Date(2026, 11, 5, 10, 15).getTime() / 1000)).toBe("5 December 2026 at 10:15");
});
