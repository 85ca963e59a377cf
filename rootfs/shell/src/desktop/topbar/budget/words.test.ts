import { expect, it } from "vitest";
import type { Day, Usage } from "../../../gateway/usage.ts";
import { badgeOf, columns, today } from "./words.ts";

const NOW = new Date("2026-11-28T10:00:00Z");
const day = (day: string, turns: number, costNanos: number): Day => ({ day, turns, costNanos, usage: { input: 1, output: 1, cacheRead: 0, cacheWrite: 0 }, models: {} });
const usage = (remaining: number | undefined, ...days: Day[]): Usage => ({
  budget: remaining === undefined ? null : { remaining_nanos: remaining, quota_nanos: 5_000_000_000, text: `$${(remaining / 1e9).toFixed(2)}` },
  days,
});

it("the badge says what is left, and warns in time", () => {
  expect(badgeOf(usage(2_700_000_000), true, NOW)).toMatchObject({ text: "$2.70", tone: "calm" });
  expect(badgeOf(usage(500_000_000), true, NOW)).toMatchObject({ tone: "low" });
  expect(badgeOf(usage(0), true, NOW)).toMatchObject({ text: "$0.00", tone: "out" });
});

it("without a budget it says what today took; without a key, that one is missing; before it knows, nothing", () => {
  expect(badgeOf(usage(undefined, day("2026-11-28", 3, 30_000_000)), true, NOW)?.text).toBe("$0.03 today");
  expect(badgeOf(usage(undefined, day("2026-11-28", 1, 0)), true, NOW)?.text).toBe("1 turn today");
  expect(badgeOf(usage(undefined, day("2026-11-27", 9, 9)), true, NOW)?.text).toBe("0 turns today");
  expect(badgeOf(usage(undefined), false, NOW)).toMatchObject({ text: "No AI key", tone: "out" });
  expect(badgeOf(undefined, true, NOW)).toBeUndefined();
  expect(badgeOf(usage(1), undefined, NOW)).toBeUndefined();
});

it("days without turns have a place too, and the last one is today", () => {
  const all = columns(usage(undefined, day("2026-11-28", 1, 50), day("2026-11-26", 9, 100)), NOW, 4);
  expect(all.map(({ day }) => day)).toEqual(["2026-11-25", "2026-11-26", "2026-11-27", "2026-11-28"]);
  expect(all.map(({ part }) => part)).toEqual([0, 1, 0, 0.5]);
  expect(columns(usage(undefined, day("2026-11-28", 2, 0)), NOW, 2).map(({ part }) => part)).toEqual([0, 1]);
  expect(columns(usage(undefined), NOW, 2).map(({ part }) => part)).toEqual([0, 0]);
  expect(today(usage(undefined), NOW)).toBeUndefined();
});
