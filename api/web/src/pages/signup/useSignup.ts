// The sign-up form: what was typed, what is under way, what went wrong. Nothing typed is ever lost.
import { type RefObject, useRef, useState } from "react";
import { signUp } from "../../platform/passkey.ts";
import { Problem, codeOf, textOf } from "../../platform/problem.ts";
import type { Arrival } from "../../platform/wire.ts";
import { useAvailability } from "./useAvailability.ts";

export type Act = "idle" | "passkey" | "saving";

export function useSignup(field: RefObject<HTMLInputElement | null>, arrived: (arrival: Arrival) => void) {
  const [handle, setHandle] = useState("");
  const [feed, setFeed] = useState(false);
  const [act, setAct] = useState<Act>("idle");
  const [problem, setProblem] = useState<unknown>();
  const { availability, typed, refused } = useAvailability();
  // State arrives with the next drawing; a second click may come before it.
  const busy = useRef(false);

  const choose = (text: string) => {
    setHandle(text);
    setProblem(undefined);
    typed(text);
  };

  const failed = (error: unknown) => {
    const code = codeOf(error);
    if (code === "aborted") return;
    if (error instanceof Problem && (code === "handle_taken" || code === "handle_invalid")) {
      refused(error.message, error.suggestions);
      field.current?.focus();
    } else setProblem(error);
  };

  const create = async () => {
    if (busy.current) return;
    if (handle === "") refused("Choose a handle first. It is the name of your computer.", []);
    if (handle === "" || availability.is === "refused") return field.current?.focus();
    busy.current = true;
    setProblem(undefined);
    setAct("passkey");
    await signUp(handle, feed, () => setAct("saving")).then(arrived, failed);
    busy.current = false;
    setAct("idle");
  };

  return { handle, choose, availability, feed, setFeed, act, create, code: codeOf(problem), problem: problem === undefined ? undefined : textOf(problem) };
}
