// What the AI has taken, and what is left for it.
import { askJson } from "./http.ts";

export interface Tokens {
  input: number;
  output: number;
  cacheRead: number;
  cacheWrite: number;
}

export interface Day {
  /** `2026-11-28`, by UTC. */
  day: string;
  turns: number;
  usage: Tokens;
  /** Billionths of a dollar; 0 where nobody keeps count. */
  costNanos: number;
  /** Turns of each model. */
  models: Record<string, number>;
}

export interface Usage {
  /** Null where the platform keeps none, or cannot be asked. */
  budget: { remaining_nanos: number; quota_nanos: number; text: string } | null;
  /** The last thirty days with turns, the newest first. */
  days: Day[];
}

/** One turn of the AI. */
export interface Turn {
  /** Milliseconds since 1970. */
  at: number;
  /** `desktop`, `cron`, `app:{name}`, or the channel. */
  source: string;
  sessionId: string;
  model: string;
  tools: string[];
  usage: Tokens;
  costNanos?: number;
  /** Milliseconds. */
  took: number;
  /** `done`, `cancelled`, `limit`, or the code of the error. */
  result: string;
}

export const usage = (signal: AbortSignal, headers: HeadersInit = {}) => askJson<Usage>("/api/usage", { signal, headers });
export const logs = (limit: number, signal: AbortSignal) => askJson<Turn[]>(`/api/logs?limit=${limit}`, { signal });

export const tokensOf = ({ input, output, cacheRead, cacheWrite }: Tokens) => input + output + cacheRead + cacheWrite;
