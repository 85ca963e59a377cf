// There are as many windows as there can be: what was closed to make room, or what waits for room.
import type { Dispatch } from "react";
import { Button } from "@matrixos/look/Button.tsx";
import { useApp } from "./apps/apps.ts";
import styles from "./desktop.module.css";
import { NAMES, type Kind } from "./windows/kinds.ts";
import { MOST_WINDOWS, subjectOf, type Action, type Layout } from "./windows/layout.ts";

export function Crowded({ layout: { away, waits }, dispatch }: { layout: Layout; dispatch: Dispatch<Action> }) {
  const first = waits?.[0];
  const one = first ? { kind: first.kind, subject: subjectOf(first) } : away;
  const name = useName(one?.kind, one?.subject);
  const more = waits && waits.length > 1 ? ` and ${waits.length - 1} more` : "";
  return (
    <div className={styles.news} role="status" data-shown={one !== undefined} data-testid="crowded">
      {one && (
        <>
          <p>
            {first
              ? `${MOST_WINDOWS} windows are open, which is the most. ${name}${more} opens as soon as you close one.`
              : `${name} was closed to make room: at most ${MOST_WINDOWS} windows are open at once.`}
          </p>
          <Button onClick={() => dispatch({ type: "noted" })}>{first ? "Do not open" : "OK"}</Button>
        </>
      )}
    </div>
  );
}

function useName(kind: Kind | undefined, subject: string | undefined): string {
  const app = useApp(subject ?? "");
  return kind === "app" && subject ? app.name : kind ? NAMES[kind] : "";
}
