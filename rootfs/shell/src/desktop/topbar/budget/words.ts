// What the badge and its popover say, made from the usage alone. Pure.
import type { Day, Usage } from "../../../gateway/usage.ts";
import { dollars } from "../../../parts/units.ts";

export const dayOf = (date: Date) => date.toISOString().slice(0, 10);

export function today(usage: Usage, now: Date): Day | undefined {
  return usage.days.find(({ day }) => day === dayOf(now));
}

export interface Badge {
  /** Short, for the bar. */
  text: string;
  /** In full, for those who hear it. */
  label: string;
  tone: "calm" | "low" | "out";
}

/** From this part of the quota on the badge warns. */
const LOW = 0.1;

/** `hasAi`: whether a key is set at all. Nothing while there is nothing to say. */
export function badgeOf(usage: Usage | undefined, hasAi: boolean | undefined, now: Date): Badge | undefined {
  if (hasAi === false) return { text: "No AI key", label: "The AI has no key. What is missing", tone: "out" };
  if (!usage || hasAi === undefined) return undefined;
  const { budget } = usage;
  if (budget) {
    const part = budget.quota_nanos > 0 ? budget.remaining_nanos / budget.quota_nanos : 0;
    const tone = budget.remaining_nanos === 0 ? "out" : part <= LOW ? "low" : "calm";
    return { text: budget.text, label: `AI budget: ${budget.text} remaining`, tone };
  }
  const now_ = today(usage, now);
  const text = now_?.costNanos ? `${dollars(now_.costNanos)} today` : `${now_?.turns ?? 0} ${now_?.turns === 1 ? "turn" : "turns"} today`;
  return { text, label: `AI usage: ${text}`, tone: "calm" };
}

export interface Column {
  day: string;
  turns: number;
  costNanos: number;
  /** 0 to 1, of the highest one. */
  part: number;
}

/** The last `count` days, today last, those without turns as well; by cost where somebody counts it, else by turns. */
export function columns(usage: Usage, now: Date, count = 14): Column[] {
  const days = Array.from({ length: count }, (_, index) => {
    const day = dayOf(new Date(now.getTime() - (count - 1 - index) * 86_400_000));
    const { turns = 0, costNanos = 0 } = usage.days.find((one) => one.day === day) ?? {};
    return { day, turns, costNanos };
  });
  const counted = days.some(({ costNanos }) => costNanos > 0);
  const heights = days.map(({ turns, costNanos }) => (counted ? costNanos : turns));
  const most = Math.max(...heights, 1);
  return days.map((day, index) => ({ ...day, part: (heights[index] ?? 0) / most }));
}
