// What the owner should know about their computer, as the gateway tells it.
import { askJson } from "./http.ts";
import { BACKGROUND } from "./link.ts";

export interface Notice {
  /** The same for as long as it is the same news. */
  id: string;
  /** Milliseconds since 1970. */
  at: number;
  text: string;
}

export const notices = (signal: AbortSignal) => askJson<Notice[]>("/api/notices", { signal, headers: BACKGROUND });
