// What the platform's API says: the shapes of its answers, as they travel.

export interface HandleAnswer {
  handle: string;
  available: boolean;
  message?: string;
  suggestions: string[];
}

export interface Me {
  handle: string;
  /** URL of the person's desktop. */
  computer: string;
  /** Whether their activity may appear in the public feed. */
  feed: boolean;
}

export type Arrival = Pick<Me, "handle" | "computer">;

export type ComputerState = "absent" | "starting" | "running" | "frozen" | "asleep" | "stopping" | "stopped" | "broken";
export type StepName = "home" | "container" | "desktop";
export type StepState = "waiting" | "doing" | "done" | "failed";

export interface Step {
  name: StepName;
  state: StepState;
  /** How long it took, in milliseconds, as measured by the platform. */
  ms?: number;
}

export interface Computer {
  state: ComputerState;
  /** Why it is stopped or broken, for people. */
  reason?: string;
  steps: Step[];
}

export interface Stats {
  running: number;
  computers: number;
}

export interface Profile {
  handle: string;
  /** ISO date. */
  since: string;
  /** What they say about themselves: plain text of their own, never markup. */
  about: string | null;
}
