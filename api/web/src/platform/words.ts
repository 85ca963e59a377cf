// Figures as people read them. Every number carries its unit.

/** A time span: `38 ms`, `1.2 s`, `30 s`, `2 min`. */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const seconds = ms / 1000;
  if (seconds < 10) return `${seconds.toFixed(1).replace(/\.0$/, "")} s`;
  return seconds < 120 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`;
}

/** The live counter's sentence. */
export function running(count: number): string {
  if (count === 0) return "No computer is running right now";
  return count === 1 ? "1 computer running now" : `${count.toLocaleString("en")} computers running now`;
}

/** A date: `28 November 2026`, in the reader's own time zone. */
export function day(iso: string): string {
  return new Date(iso).toLocaleDateString("en-GB", { day: "numeric", month: "long", year: "numeric" });
}

/** The paragraphs of a plain text: an empty line begins the next. */
export function paragraphs(text: string): string[] {
  return text
    .split(/\n\s*\n/)
    .map((paragraph) => paragraph.trim())
    .filter((paragraph) => paragraph !== "");
}

const STEPS: readonly [Intl.RelativeTimeFormatUnit, number][] = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];

/** How long ago a moment was: `just now`, `5 minutes ago`, `yesterday`; after a month the date. Both in seconds. */
export function ago(at: number, now: number): string {
  const passed = now - at;
  if (passed > 30 * 86_400) return day(new Date(at * 1000).toISOString());
  const [unit, length] = STEPS.find(([, seconds]) => passed >= seconds) ?? [];
  if (!unit || !length) return "just now";
  return new Intl.RelativeTimeFormat("en", { numeric: "auto" }).format(-Math.floor(passed / length), unit);
}

/** A moment in full: `28 November 2026 at 10:15`, in the reader's own time zone. `at` in seconds. */
export function moment(at: number): string {
  return new Date(at * 1000).toLocaleString("en-GB", { day: "numeric", month: "long", year: "numeric", hour: "2-digit", minute: "2-digit" });
}
