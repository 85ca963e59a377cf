// The view of a start: progress while it goes well, the reason and a second try when it does not.
import { Button } from "@matrixos/look/Button.tsx";
import { Notice } from "./Notice.tsx";
import { Progress } from "./Progress.tsx";
import styles from "./starting.module.css";
import type { Start } from "./useStart.ts";

export function Starting({ start: { computer, lost, slow, problem, again } }: { start: Start }) {
  const trouble = problem ?? troubleOf(computer.state, computer.reason);
  return (
    <div className={styles.starting}>
      <Progress computer={computer} />
      {trouble && (
        <Notice text={trouble}>
          <Button onClick={again} data-testid="try-again">
            Try again
          </Button>
        </Notice>
      )}
      <p role="status" className={styles.aside}>
        {lost ? "The platform does not answer at the moment. This page keeps asking; your account is safe." : slow && "This takes longer than usual. It goes on by itself; you may leave this page open."}
      </p>
    </div>
  );
}

function troubleOf(state: string, reason: string | undefined): string | undefined {
  if (state === "broken") return reason ?? "Your computer did not start. Nothing is lost: try again, and if it stays so, tell the platform's operator.";
  if (state === "stopped") return reason ?? "Your computer is stopped. Your files are kept.";
  return undefined;
}
