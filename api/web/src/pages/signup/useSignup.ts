// The sign-up form: what was typed, what is under way, what went wrong. Nothing typed is ever lost.
import { type RefObject, useMemo, useRef, useState } from "react";
import * as api from "../../platform/api.ts";
import { signUp } from "../../platform/passkey.ts";
import { Problem, codeOf, isSilence, troubleOf } from "../../platform/problem.ts";
import type { AppStart, Arrival } from "../../platform/wire.ts";
import { useAvailability } from "./useAvailability.ts";

export type Act = "idle" | "passkey" | "saving" | "app";

/** The account exists; with an authenticator app come recovery codes. */
export type Joined = Arrival & { recoveryCodes?: string[] };

export type SignupForm = ReturnType<typeof useSignup>;

/** The last word of a sign-up got lost: the account may exist, and then the app's codes open it. */
const UNSURE = new Problem(
  "signup_unsure",
  "The connection broke while your account was being made. Sign in with your handle and the next code of your app. If that is refused, create your computer again.",
);

export function useSignup(field: RefObject<HTMLInputElement | null>, arrived: (joined: Joined) => void) {
  const [handle, setHandle] = useState("");
  const [feed, setFeed] = useState(false);
  const [act, setAct] = useState<Act>("idle");
  const [app, setApp] = useState<AppStart>();
  const [thrown, setThrown] = useState<unknown>();
  // Whether the person looked at the app and came back to the passkey.
  const [returned, setReturned] = useState(false);
  const problem = useMemo(() => troubleOf(thrown), [thrown]);
  const { availability, typed, refused } = useAvailability();
  // State arrives with the next drawing; a second click may come before it.
  const busy = useRef(false);

  const choose = (text: string) => {
    setHandle(text);
    setThrown(undefined);
    typed(text);
  };

  const failed = (error: unknown) => {
    const code = codeOf(error);
    if (code === "aborted") return;
    if (error instanceof Problem && (code === "handle_taken" || code === "handle_invalid")) {
      setApp(undefined);
      refused(error.message, error.suggestions);
      field.current?.focus();
    } else setThrown(error);
  };

  /** Whether the handle may be used as far as is known here; if not, the person is led to its field. */
  const named = () => {
    if (handle === "") refused("Choose a handle first. It is the name of your computer.", []);
    const fit = handle !== "" && availability.is !== "refused";
    if (!fit) field.current?.focus();
    return fit;
  };

  const begin = async <T>(kind: Act, attempt: () => Promise<T>, then: (value: T) => void) => {
    if (busy.current || !named()) return;
    busy.current = true;
    setThrown(undefined);
    setAct(kind);
    await attempt().then(then).catch(failed);
    busy.current = false;
    setAct("idle");
  };

  const finishApp = (ceremony: string, code: string) =>
    api.signupAppFinish({ ceremony, code, feed }).catch((error) => {
      throw isSilence(error) ? UNSURE : error;
    });

  return {
    handle,
    choose,
    availability,
    feed,
    setFeed,
    act,
    app,
    problem,
    returned,
    create: () => void begin("passkey", () => signUp(handle, feed, () => setAct("saving")), arrived),
    chooseApp: () => void begin("app", () => api.signupAppStart(handle), setApp),
    createWithApp: (code: string) => app && void begin("saving", () => finishApp(app.ceremony, code), arrived),
    leaveApp: () => {
      setApp(undefined);
      setThrown(undefined);
      setReturned(true);
    },
  };
}
