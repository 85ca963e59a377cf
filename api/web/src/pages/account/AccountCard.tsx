// The account of somebody who is signed in.
import { Button, ButtonLink } from "@matrixos/look/Button.tsx";
import { useRef, useState } from "react";
import * as api from "../../platform/api.ts";
import { doorOf } from "../../platform/places.ts";
import { textOf } from "../../platform/problem.ts";
import type { ComputerState, Me } from "../../platform/wire.ts";
import { Avatar } from "../../ui/Avatar.tsx";
import { Notice } from "../../ui/Notice.tsx";
import { Starting } from "../../ui/Starting.tsx";
import { useStart } from "../../ui/useStart.ts";
import styles from "./account.module.css";

const STATE: Record<ComputerState, string> = {
  absent: "being made",
  starting: "starting",
  running: "running",
  frozen: "resting",
  asleep: "asleep",
  archived: "asleep, files packed",
  stopping: "stopping",
  stopped: "stopped",
  broken: "did not start",
};

const THERE: ComputerState[] = ["running", "frozen", "asleep", "archived"];

export function AccountCard({ me }: { me: Me }) {
  const start = useStart();
  const { state } = start.computer;
  // Whoever comes to one that rests wakes it.
  const there = start.known && THERE.includes(state);
  return (
    <div className={styles.column}>
      <div className={styles.who}>
        <Avatar handle={me.handle} size={56} />
        <div>
          <h1>
            @{me.handle}
            {me.admin && <span className={styles.mark}>Administrator</span>}
          </h1>
          <p className={styles.aside}>{new URL(me.computer).host}</p>
        </div>
      </div>
      <dl className={styles.facts}>
        <dt>Computer</dt>
        <dd>
          {start.known ? <span className={styles.dot} data-state={state} /> : null}
          <span role="status" data-testid="computer-state">
            {start.known ? STATE[state] : "…"}
          </span>
        </dd>
        <dt>Public feed</dt>
        <dd>{me.feed ? "shows my activity" : "does not show my activity"}</dd>
      </dl>
      {me.deletion === null && (start.known || start.lost || start.problem) && !there && <Starting start={start} />}
      <div className={styles.row}>
        {there && (
          <ButtonLink kind="primary" href={doorOf(me.handle)} data-testid="open-computer">
            Open my computer
          </ButtonLink>
        )}
        <SignOut />
      </div>
    </div>
  );
}

function SignOut() {
  const [problem, setProblem] = useState<string>();
  const busy = useRef(false);
  const leave = () => {
    if (busy.current) return;
    busy.current = true;
    api.logout().then(
      () => location.replace("/"),
      (error) => {
        busy.current = false;
        setProblem(textOf(error));
      },
    );
  };
  return (
    <>
      <Button onClick={leave} data-testid="sign-out">
        Sign out
      </Button>
      {problem && <Notice text={problem} />}
    </>
  );
}
