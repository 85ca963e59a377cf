// How the computer is, as the gateway tells it. Null: the kernel does not say.
import { askJson } from "./http.ts";

export interface Gauge {
  /** Bytes. */
  used: number | null;
  limit: number | null;
}

export interface SystemInfo {
  version: string;
  image: string | null;
  /** Seconds since the gateway started. */
  uptime: number;
  channels: string[];
  modules: string[];
  disk: Gauge;
  memory: Gauge;
  /** Processors it may use, in parts of one: 0.5 is half. */
  cpuLimit: number | null;
  processes: number | null;
}

export const systemInfo = (signal: AbortSignal, headers: HeadersInit = {}) => askJson<SystemInfo>("/api/system/info", { signal, headers });
