import { expect, it } from "vitest";
import { USUAL, away, scheduleOf, words, type When } from "./schedule.ts";

const NOW = new Date("2026-11-28T10:00:00").getTime();
const of = (when: Partial<When>) => scheduleOf({ ...USUAL, ...when }, NOW);

it("what is chosen becomes what the computer understands", () => {
  expect(of({ kind: "every", every: "30", unit: "minutes" })).toEqual({ type: "interval", every: 1_800 });
  expect(of({ kind: "daily", time: "09:05" })).toEqual({ type: "cron", expression: "5 9 * * *" });
  expect(of({ kind: "weekly", time: "18:00", weekdays: [5, 1] })).toEqual({ type: "cron", expression: "0 18 * * 1,5" });
  expect(of({ kind: "once", at: "2026-11-28T10:01" })).toEqual({ type: "once", at: NOW / 1_000 + 60 });
  expect(of({ kind: "expression", expression: "  0  9 1 * * " })).toEqual({ type: "cron", expression: "0 9 1 * *" });
});

it("what cannot be is refused with a reason before it is sent", () => {
  for (const every of ["", "0", "-1", "1.5", "abc", "1e9"]) expect(of({ kind: "every", every, unit: "days" }), every).toHaveProperty("wrong");
  expect(of({ kind: "daily", time: "" })).toHaveProperty("wrong");
  expect(of({ kind: "weekly", weekdays: [] })).toHaveProperty("wrong");
  expect(of({ kind: "once", at: "2026-11-28T09:59" })).toEqual({ wrong: "That time is over." });
  expect(of({ kind: "once", at: "9999-01-01T00:00" })).toEqual({ wrong: "That is more than five years away." });
  expect(of({ kind: "once", at: "" })).toHaveProperty("wrong");
  expect(of({ kind: "expression", expression: "* * *" })).toHaveProperty("wrong");
});

it("a schedule is said as people say it, whoever wrote it", () => {
  const cron = (expression: string) => words({ type: "cron", expression });
  expect([60, 1_800, 3_600, 86_400, 5_400, 90].map((every) => words({ type: "interval", every }))).toEqual(["Every minute", "Every 30 minutes", "Every hour", "Every day", "Every 90 minutes", "Every 90 seconds"]);
  expect(cron("5 9 * * *")).toBe("Every day at 09:05");
  expect(cron("0 18 * * 1,5")).toBe("Mondays and Fridays at 18:00");
  expect(cron("0 9 * * 1-5")).toBe("Monday to Friday at 09:00");
  expect(cron("0 8 * * 0,3,7")).toBe("Sundays, Wednesdays and Sundays at 08:00");
  for (const odd of ["*/5 * * * *", "0 9 1 * *", "0 9 * * mon", "nonsense"]) expect(cron(odd)).toBe(odd);
});

it("how far away a time is", () => {
  expect([30, 60, 7_200, 86_400 * 3, -30, -7_200].map((span) => away(1_000_000 + span, 1_000_000))).toEqual(["in a moment", "in 1 minute", "in 2 hours", "in 3 days", "just now", "2 hours ago"]);
});
