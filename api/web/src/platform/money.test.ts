// Keeps: no cost is shown as nothing, and whoever comes to the end of a budget is told.
import { expect, test } from "vitest";
import { byDay, cost, dollars, percentUsed, tokens, warning } from "./money.ts";
import type { Spending, Usage } from "./wire.ts";

const usage = (remaining: number, quota = 5_000_000_000, own_key: number | null = null): Usage => ({
  quota_nanos: quota,
  spent_nanos: quota - remaining,
  remaining_nanos: remaining,
  own_key_nanos: 0,
  in_flight: 0,
  own_key,
  days: [],
});

const row = (day: string, model: string, more: Partial<Spending> = {}): Spending => ({
  day,
  model,
  calls: 1,
  input_tokens: 1_000,
  output_tokens: 20,
  cache_write_tokens: 200,
  cache_read_tokens: 34,
  cost_nanos: 170_000,
  own_key_nanos: 0,
  ...more,
});

test("amounts are dollars, and a fraction of a cent is not nothing", () => {
  expect([0, 1, 9_999_999, 10_000_000, 4_310_000_000, 4_999_999_999].map(dollars)).toEqual(["$0.00", "less than $0.01", "less than $0.01", "$0.01", "$4.31", "$4.99"]);
});

test("the bar stays within its ends", () => {
  expect([usage(5_000_000_000), usage(1_000_000_000), usage(0), usage(0, 0)].map(percentUsed)).toEqual([0, 80, 100, 100]);
});

test("at four fifths and at the end it is said, and not to whoever pays themselves", () => {
  expect(warning(usage(1_010_000_000))).toBeUndefined();
  expect(warning(usage(1_000_000_000))).toMatch(/\$1\.00 of \$5\.00/);
  expect(warning(usage(0))).toMatch(/used up/);
  expect(warning(usage(0, 5_000_000_000, 7))).toBeUndefined();
});

test("rows are shown by day, the newest first", () => {
  const days = byDay([row("2026-11-27", "a"), row("2026-11-28", "a"), row("2026-11-28", "b")]);
  expect(days.map(({ day, models }) => [day, models.map(({ model }) => model)])).toEqual([["2026-11-28", ["a", "b"]], ["2026-11-27", ["a"]]]);
});

test("a row says who paid", () => {
  expect(cost(row("d", "m", { cost_nanos: 20_000_000 }))).toBe("$0.02");
  expect(cost(row("d", "m", { cost_nanos: 0, own_key_nanos: 20_000_000 }))).toBe("$0.02 on your key");
  expect(cost(row("d", "m", { cost_nanos: 10_000_000, own_key_nanos: 20_000_000 }))).toBe("$0.01 and $0.02 on your key");
  expect(tokens(row("d", "m"))).toBe("1,234 tokens in, 20 out");
});
