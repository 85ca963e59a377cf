// Follows one's own computer while it starts, and starts it again when asked.
import { useCallback, useEffect, useState } from "react";
import * as api from "../platform/api.ts";
import { codeOf, textOf } from "../platform/problem.ts";
import { NOTHING_YET, follow, settled } from "../platform/progress.ts";
import type { Computer } from "../platform/wire.ts";

/** After this long a person deserves a word, in milliseconds. */
const SLOW_MS = 20_000;

export interface Start {
  computer: Computer;
  /** The platform has said something about it. */
  known: boolean;
  /** The platform does not answer at the moment. */
  lost: boolean;
  slow: boolean;
  problem?: string;
  again: () => void;
}

const pause = (ms: number) => new Promise<void>((done) => setTimeout(done, ms));

export function useStart(): Start {
  const [round, setRound] = useState(0);
  const [seen, setSeen] = useState({ computer: NOTHING_YET, known: false, lost: false });
  const [slow, setSlow] = useState(false);
  const [problem, setProblem] = useState<string>();

  useEffect(() => {
    const stop = new AbortController();
    const patience = setTimeout(() => setSlow(true), SLOW_MS);
    const report = (computer: Computer | undefined, lost: boolean) => {
      setSeen((before) => ({ computer: computer ?? before.computer, known: before.known || !!computer, lost }));
      if (computer && settled(computer)) setSlow(false);
    };
    follow({ read: api.computer, pause, report, signal: stop.signal })
      .catch((error) => (codeOf(error) === "not_signed_in" ? location.replace("/login") : setProblem(textOf(error))))
      .finally(() => clearTimeout(patience));
    return () => {
      stop.abort();
      clearTimeout(patience);
    };
  }, [round]);

  const again = useCallback(() => {
    setProblem(undefined);
    setSeen({ computer: NOTHING_YET, known: true, lost: false });
    api
      .startComputer()
      .then(() => setRound((n) => n + 1))
      .catch((error) => setProblem(textOf(error)));
  }, []);

  return { ...seen, slow, problem, again };
}
