// What AI calls cost, as people read it: the platform counts in nano-dollars.
import type { Spending, Usage } from "./wire.ts";

const NANOS = 1_000_000_000;

/**
 * An amount: `$4.31`, in whole cents and rounded down as everywhere on the platform, for nobody is promised what they do not have; what
 * is less than a cent is shown as that, never as nothing.
 */
export function dollars(nanos: number): string {
  if (nanos > 0 && nanos < NANOS / 100) return "less than $0.01";
  return `$${(Math.floor(nanos / (NANOS / 100)) / 100).toFixed(2)}`;
}

/** Which share of the budget is used, in percent, from 0 to 100. */
export function percentUsed({ quota_nanos, remaining_nanos }: Pick<Usage, "quota_nanos" | "remaining_nanos">): number {
  if (quota_nanos <= 0) return 100;
  return Math.min(100, Math.max(0, Math.floor(((quota_nanos - remaining_nanos) / quota_nanos) * 100)));
}

/** What there is to be said when it comes to an end. */
export function warning(usage: Usage): string | undefined {
  if (usage.own_key !== null) return undefined;
  if (usage.remaining_nanos <= 0) return "Your AI budget is used up. Everything else goes on working; your AI answers again with a key of your own, or when an administrator raises the budget.";
  if (percentUsed(usage) >= 80) return `Little is left of your AI budget: ${dollars(usage.remaining_nanos)} of ${dollars(usage.quota_nanos)}.`;
  return undefined;
}

export interface Day {
  day: string;
  models: Spending[];
}

/** The rows of each day, the newest day first. */
export function byDay(rows: readonly Spending[]): Day[] {
  const days = new Map<string, Spending[]>();
  for (const row of rows) days.set(row.day, [...(days.get(row.day) ?? []), row]);
  return [...days].map(([day, models]) => ({ day, models })).sort((a, b) => b.day.localeCompare(a.day));
}

/** What a row cost, whoever paid. */
export function cost(row: Spending): string {
  const parts = [row.cost_nanos > 0 || row.own_key_nanos === 0 ? dollars(row.cost_nanos) : "", row.own_key_nanos > 0 ? `${dollars(row.own_key_nanos)} on your key` : ""];
  return parts.filter(Boolean).join(" and ");
}

/** Tokens of a row: `1,234 in, 567 out`. */
export function tokens(row: Spending): string {
  const read = row.input_tokens + row.cache_write_tokens + row.cache_read_tokens;
  return `${read.toLocaleString("en")} tokens in, ${row.output_tokens.toLocaleString("en")} out`;
}
