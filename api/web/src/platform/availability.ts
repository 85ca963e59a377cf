// Is this handle free? Asks a little after the last key, and only ever reports on the text that is there now.
import { codeOf, textOf } from "./problem.ts";
import type { HandleAnswer } from "./wire.ts";

export type Availability =
  | { is: "empty" }
  | { is: "asking" }
  | { is: "free" }
  | { is: "refused"; why: string; suggestions: readonly string[] }
  /** Nobody could say; the platform decides when it is asked for good. */
  | { is: "unknown"; why: string };

type Ask = (text: string, signal: AbortSignal) => Promise<HandleAnswer>;

/** How long the keys must rest before the platform is asked, in milliseconds. */
export const PAUSE_MS = 200;

export class AvailabilityWatch {
  #current = new AbortController();

  constructor(
    private readonly ask: Ask,
    private readonly report: (availability: Availability) => void,
  ) {}

  /** The text is now `text`. Whatever was being asked before no longer matters. */
  typed(text: string): void {
    this.stop();
    if (text === "") return this.report({ is: "empty" });
    this.report({ is: "asking" });
    const { signal } = (this.#current = new AbortController());
    const timer = setTimeout(() => void this.#look(text, signal), PAUSE_MS);
    signal.addEventListener("abort", () => clearTimeout(timer));
  }

  stop(): void {
    this.#current.abort();
  }

  async #look(text: string, signal: AbortSignal): Promise<void> {
    const availability = await this.ask(text, signal).then(availabilityOf, unknown);
    if (!signal.aborted && availability) this.report(availability);
  }
}

function availabilityOf(answer: HandleAnswer): Availability {
  if (answer.available) return { is: "free" };
  return { is: "refused", why: answer.message ?? "That handle is not available.", suggestions: answer.suggestions };
}

function unknown(error: unknown): Availability | undefined {
  return codeOf(error) === "aborted" ? undefined : { is: "unknown", why: textOf(error) };
}
