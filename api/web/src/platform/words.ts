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
