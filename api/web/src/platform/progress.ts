// Follows a computer while it starts, and says where it stands.
import { type Problem, codeOf } from "./problem.ts";
import type { Computer, StepName } from "./wire.ts";

export const STEP_TEXT: Record<StepName, string> = {
  home: "Making your home",
  container: "Starting your container",
  desktop: "Opening your desktop",
};

/** What the first step says while files that had been packed away are made ready. */
export const UNPACKING = "Unpacking your files";

/** What a step says. A reason while it starts is that the files are being unpacked. */
export const stepText = ({ state, reason }: Computer, name: StepName): string => (name === "home" && state === "starting" && reason ? UNPACKING : STEP_TEXT[name]);

/** What is known before the platform has said anything. */
export const NOTHING_YET: Computer = {
  state: "starting",
  steps: [
    { name: "home", state: "waiting" },
    { name: "container", state: "waiting" },
    { name: "desktop", state: "waiting" },
  ],
};

/** Pause between two looks, in milliseconds: while it starts, and while the platform does not answer. */
export const LOOK_MS = 200;
export const LOST_MS = 1_000;

/** Whether waiting longer changes nothing. */
export function settled({ state }: Computer): boolean {
  return state === "running" || state === "stopped" || state === "broken";
}

interface Follow {
  read: (signal: AbortSignal) => Promise<Computer>;
  pause: (ms: number) => Promise<void>;
  /** `lost` says that the platform does not answer at the moment; the last that was known still stands. */
  report: (computer: Computer | undefined, lost: boolean) => void;
  signal: AbortSignal;
}

/** Looks until the computer has settled. A lost connection is waited out; not being signed in is thrown. */
export async function follow({ read, pause, report, signal }: Follow): Promise<void> {
  while (!signal.aborted) {
    const seen = await read(signal).catch(forgive);
    if (signal.aborted) return;
    report(seen, !seen);
    if (seen && settled(seen)) return;
    await pause(seen ? LOOK_MS : LOST_MS);
  }
}

function forgive(error: Problem): undefined {
  const code = codeOf(error);
  if (code === "not_signed_in" || code === undefined) throw error;
}

/** One sentence for a screen reader: what is being done now. */
export function spoken(computer: Computer): string {
  if (computer.state === "running") return "Your computer is running.";
  if (computer.state === "broken") return "Your computer did not start.";
  const now = computer.steps.find((step) => step.state === "doing") ?? computer.steps.find((step) => step.state === "waiting");
  return now ? stepText(computer, now.name) : "";
}
