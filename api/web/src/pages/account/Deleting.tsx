// The account is about to be deleted: when, and how to keep it.
import { Button } from "@matrixos/look/Button.tsx";
import { useEffect, useRef } from "react";
import * as api from "../../platform/api.ts";
import { moment } from "../../platform/words.ts";
import { Notice } from "../../ui/Notice.tsx";
import { useAct } from "../../ui/useAct.ts";
import styles from "./account.module.css";

export function Deleting({ at, kept }: { at: number; kept: () => void }) {
  const { busy, problem, run } = useAct();
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  return (
    <section className={styles.deleting} data-testid="deleting" aria-labelledby="deleting">
      <h2 id="deleting" ref={heading} tabIndex={-1}>
        This account will be deleted
      </h2>
      <p>
        On <time dateTime={new Date(at * 1000).toISOString()}>{moment(at)}</time> your files and your account are deleted. Until then your computer is stopped, and everything is kept.
      </p>
      {problem && <Notice text={problem.text} />}
      <Button kind="primary" busy={busy} onClick={() => run(api.restoreAccount, kept)} data-testid="keep-account">
        Keep my account
      </Button>
    </section>
  );
}
