// Jobs: what the AI does at its time.
import { ask, askJson, sendJson } from "./http.ts";

/** Times in seconds; a cron expression goes by the owner's time zone. */
export type Schedule = { type: "interval"; every: number } | { type: "cron"; expression: string } | { type: "once"; at: number };

export interface NewJob {
  name: string;
  /** What the AI is told. */
  message: string;
  schedule: Schedule;
  /** Where the answer goes, besides its conversation. */
  target?: { channel: string; chatId: string };
}

export interface Job extends NewJob {
  id: string;
  /** Seconds since 1970, as the others. */
  createdAt: number;
  lastRun: number | null;
  nextRun: number | null;
}

export const jobs = (signal: AbortSignal, headers: HeadersInit = {}) => askJson<Job[]>("/api/cron", { signal, headers });
export const addJob = async (job: NewJob) => (await sendJson("POST", "/api/cron", job)).json() as Promise<Job>;
export const deleteJob = (id: string) => ask(`/api/cron/${encodeURIComponent(id)}`, { method: "DELETE" });
