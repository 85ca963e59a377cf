// When a job runs: from what somebody chose in the form to the computer's words, and from those to a sentence. Pure.
import type { Schedule } from "../../gateway/jobs.ts";

export const UNITS = { minutes: 60, hours: 3_600, days: 86_400 } as const;
export type Unit = keyof typeof UNITS;

export const WEEKDAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"] as const;

export interface When {
  kind: "every" | "daily" | "weekly" | "once" | "expression";
  /** As typed. */
  every: string;
  unit: Unit;
  /** `09:00` */
  time: string;
  /** 0 is Sunday. */
  weekdays: number[];
  /** `2026-11-28T09:00`, by this device's clock. */
  at: string;
  expression: string;
}

export const USUAL: When = { kind: "daily", every: "30", unit: "minutes", time: "09:00", weekdays: [1], at: "", expression: "0 9 * * 1-5" };

const YEAR = 366 * 86_400;

/** The schedule, or what is wrong. `now` in milliseconds. */
export function scheduleOf(when: When, now: number): Schedule | { wrong: string } {
  switch (when.kind) {
    case "every":
      return interval(Number(when.every), when.unit);
    case "daily":
      return atTime(when.time, "*");
    case "weekly":
      if (when.weekdays.length === 0) return { wrong: "Choose a day." };
      return atTime(when.time, when.weekdays.toSorted((a, b) => a - b).join(","));
    case "once":
      return once(when.at, now);
    case "expression": {
      const expression = when.expression.trim().replace(/\s+/g, " ");
      return expression.split(" ").length === 5 ? { type: "cron", expression } : { wrong: "Five fields are needed: minute, hour, day, month, weekday." };
    }
  }
}

function interval(every: number, unit: Unit): Schedule | { wrong: string } {
  const seconds = every * UNITS[unit];
  if (!Number.isInteger(every) || every < 1) return { wrong: "A whole number, at least 1, is needed." };
  return seconds <= YEAR ? { type: "interval", every: seconds } : { wrong: "That is more than a year." };
}

function atTime(time: string, weekdays: string): Schedule | { wrong: string } {
  const [, hour, minute] = /^(\d{2}):(\d{2})/.exec(time) ?? [];
  if (hour === undefined) return { wrong: "Choose a time." };
  return { type: "cron", expression: `${Number(minute)} ${Number(hour)} * * ${weekdays}` };
}

function once(at: string, now: number): Schedule | { wrong: string } {
  const time = new Date(at).getTime();
  if (Number.isNaN(time)) return { wrong: "Choose a day and a time." };
  if (time <= now) return { wrong: "That time is over." };
  return time <= now + 5 * YEAR * 1_000 ? { type: "once", at: Math.floor(time / 1_000) } : { wrong: "That is more than five years away." };
}

/** A schedule in words, as people say it; an expression that has no such words is shown as it is. */
export function words(schedule: Schedule): string {
  if (schedule.type === "interval") return every(schedule.every);
  if (schedule.type === "once") return "Once";
  const [minute = "", hour = "", day, month, weekday = ""] = schedule.expression.trim().split(/\s+/);
  const plain = /^\d{1,2}$/.test(minute) && /^\d{1,2}$/.test(hour) && day === "*" && month === "*";
  const days = plain ? daysIn(weekday) : undefined;
  return days ? `${days} at ${hour.padStart(2, "0")}:${minute.padStart(2, "0")}` : schedule.expression;
}

function every(seconds: number): string {
  const [unit, size] = (Object.entries(UNITS) as [Unit, number][]).findLast(([, size]) => seconds % size === 0) ?? ["seconds", 1];
  const n = seconds / size;
  return n === 1 ? `Every ${unit.slice(0, -1)}` : `Every ${n} ${unit}`;
}

function daysIn(field: string): string | undefined {
  if (field === "*" || field === "0-6" || field === "1-7") return "Every day";
  if (field === "1-5") return "Monday to Friday";
  const days = field.split(",").map((day) => (/^[0-7]$/.test(day) ? WEEKDAYS[Number(day) % 7] : undefined));
  if (days.some((day) => day === undefined)) return undefined;
  const names = days.map((day) => `${day}s`);
  return names.length === 1 ? names[0] : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

const ago = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];

/** How far away a time is: `in 5 minutes`, `yesterday`. Both in seconds. */
export function away(at: number, now: number): string {
  const span = at - now;
  const [unit, size] = STEPS.find(([, size]) => Math.abs(span) >= size) ?? ["minute", 60];
  if (Math.abs(span) < 60) return span >= 0 ? "in a moment" : "just now";
  return ago.format(Math.trunc(span / size), unit);
}
