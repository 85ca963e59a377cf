// A start as it really goes: three steps, each with the time it took.
import { Check, Circle, LoaderCircle, X } from "lucide-react";
import { spoken, stepText } from "../platform/progress.ts";
import type { Computer, Step, StepState } from "../platform/wire.ts";
import { duration } from "../platform/words.ts";
import styles from "./progress.module.css";

const ICON: Record<StepState, typeof Check> = { waiting: Circle, doing: LoaderCircle, done: Check, failed: X };
const SPOKEN: Record<StepState, string> = { waiting: "waiting", doing: "under way", done: "done", failed: "failed" };

export function Progress({ computer }: { computer: Computer }) {
  return (
    <div data-testid="progress">
      <ol className={styles.steps}>
        {computer.steps.map((step) => (
          <Line key={step.name} step={step} text={stepText(computer, step.name)} />
        ))}
      </ol>
      <p className="unseen" role="status">
        {spoken(computer)}
      </p>
    </div>
  );
}

function Line({ step: { state, ms }, text }: { step: Step; text: string }) {
  const Icon = ICON[state];
  return (
    <li className={`${styles.step} ${styles[state]}`} data-state={state}>
      <Icon size={20} strokeWidth={state === "done" ? 2 : 1.5} aria-hidden />
      <span>{text}</span>
      <span className="unseen">, {SPOKEN[state]}</span>
      {ms !== undefined && <span className={styles.time}>{duration(ms)}</span>}
    </li>
  );
}
