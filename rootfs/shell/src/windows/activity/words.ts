// What the log says about a turn, for people. Pure.

const SOURCES: Record<string, string> = { desktop: "You, here", cron: "A job", telegram: "Telegram", matrix: "Matrix" };

export function sourceOf(source: string): string {
  const app = source.startsWith("app:") ? source.slice(4) : undefined;
  if (app !== undefined) return `App ${app}`;
  return SOURCES[source] ?? source;
}

export type Tone = "good" | "calm" | "bad";

const RESULTS: Record<string, [string, Tone]> = {
  done: ["Done", "good"],
  cancelled: ["Stopped", "calm"],
  limit: ["Reached a limit", "bad"],
  no_key: ["No key", "bad"],
  key_refused: ["Key refused", "bad"],
  no_budget: ["No budget left", "bad"],
  busy: ["Provider busy", "bad"],
  offline: ["Not reached", "bad"],
  upstream: ["Provider failed", "bad"],
  refused: ["Refused", "bad"],
  deadline: ["Took too long", "bad"],
  disk_full: ["Disk full", "bad"],
};

export function resultOf(result: string): { name: string; tone: Tone } {
  const [name, tone] = RESULTS[result] ?? [result, "bad"];
  return { name, tone };
}

/** Tools by name in the order of their first use, with how often. */
export function toolsOf(tools: string[]): { name: string; times: number }[] {
  const counts = new Map<string, number>();
  for (const tool of tools) counts.set(tool, (counts.get(tool) ?? 0) + 1);
  return [...counts].map(([name, times]) => ({ name: name.replaceAll("_", " "), times }));
}

/** Milliseconds as people read them: `850 ms`, `4.2 s`, `3 min 5 s`. */
export function took(ms: number): string {
  if (ms < 1_000) return `${ms} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1_000);
  return `${Math.floor(seconds / 60)} min${seconds % 60 ? ` ${seconds % 60} s` : ""}`;
}
