// One thing that a person asked for: under way at most once, proved first where the platform wants that, and its
// failure kept in view.
import { useContext, useMemo, useRef, useState } from "react";
import { withProof } from "../platform/fresh.ts";
import { codeOf, troubleOf } from "../platform/problem.ts";
import { ProofContext } from "./Proof.tsx";

export function useAct() {
  const ask = useContext(ProofContext);
  const [busy, setBusy] = useState(false);
  const [thrown, setThrown] = useState<unknown>();
  // State arrives with the next drawing; a second click may come before it.
  const running = useRef(false);

  const failed = (error: unknown) => {
    const code = codeOf(error);
    if (code === "not_signed_in") location.replace("/login");
    else if (code !== "aborted") setThrown(error);
  };

  const run = async <T>(act: () => Promise<T>, then: (value: T) => void) => {
    if (running.current) return;
    running.current = true;
    setBusy(true);
    setThrown(undefined);
    await withProof(ask, act).then(then).catch(failed);
    running.current = false;
    setBusy(false);
  };

  const problem = useMemo(() => troubleOf(thrown), [thrown]);
  return { busy, problem, run: <T>(act: () => Promise<T>, then: (value: T) => void) => void run(act, then) };
}
