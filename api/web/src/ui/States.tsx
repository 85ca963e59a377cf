// What a part of a page shows while it has nothing yet, or could not get it.
import { Button } from "@matrixos/look/Button.tsx";
import { Notice } from "./Notice.tsx";
import type { Loaded } from "./useLoaded.ts";
import styles from "./states.module.css";

export function Waiting() {
  return (
    <p role="status" className={styles.waiting}>
      One moment…
    </p>
  );
}

/** The content once it is there; until then the wait, or what went wrong and a way to try again. */
export function When<T>({ loaded, children }: { loaded: Loaded<T> & { again: () => void }; children: (value: T) => React.ReactNode }) {
  if (loaded.is === "ready") return children(loaded.value);
  if (loaded.is === "loading") return <Waiting />;
  return (
    <Notice text={loaded.why}>
      <Button onClick={loaded.again} data-testid="load-again">
        Try again
      </Button>
    </Notice>
  );
}
