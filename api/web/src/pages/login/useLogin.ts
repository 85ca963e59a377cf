// The login: at most one ceremony at a time, the button's before the browser's quiet offer.
import { browserSupportsWebAuthnAutofill } from "@simplewebauthn/browser";
import { useCallback, useRef, useState } from "react";
import * as api from "../../platform/api.ts";
import { keepOffering } from "../../platform/offer.ts";
import { signIn } from "../../platform/passkey.ts";
import { doorOf, inviteIn } from "../../platform/places.ts";
import { type Trouble, codeOf, textOf, troubleOf } from "../../platform/problem.ts";
import type { CodeArrival } from "../../platform/wire.ts";

type Act = "idle" | "passkey" | "code" | "opening";

export function useLogin(to: string | undefined) {
  const [act, setAct] = useState<Act>("idle");
  const [problem, setProblem] = useState<string>();
  const [codeProblem, setCodeProblem] = useState<Trouble>();
  const [other, setOther] = useState<string>();
  const [spent, setSpent] = useState<CodeArrival>();
  const busy = useRef(false);

  const open = useCallback((handle: string) => {
    setAct("opening");
    // An invitation that waited for the sign-in is answered on the account's page.
    location.replace(inviteIn(location.hash) ? `/account${location.hash}` : doorOf(handle));
  }, []);

  const arrived = useCallback(
    (arrival: CodeArrival) => {
      if (arrival.recoveryCodesLeft !== undefined) setSpent(arrival);
      else if (to !== undefined && to !== arrival.handle) setOther(arrival.handle);
      else open(arrival.handle);
    },
    [to, open],
  );

  const failed = useCallback((error: unknown) => {
    setAct("idle");
    if (codeOf(error) !== "aborted") setProblem(textOf(error));
  }, []);

  /** The browser's own suggestions. What fails before the person has picked one was never asked for, and is no news. */
  const offer = useCallback(() => {
    const end = new AbortController();
    let chosen = false;
    const picked = () => {
      chosen = true;
      setAct("passkey");
    };
    void browserSupportsWebAuthnAutofill()
      .then((can) => (can ? keepOffering({ attempt: () => signIn({ offered: true, picked, signal: end.signal }), signal: end.signal }) : undefined))
      .then((arrival) => arrival && arrived(arrival))
      .catch((error) => chosen && failed(error));
    return () => end.abort();
  }, [arrived, failed]);

  const begin = async (kind: Act, ceremony: () => Promise<CodeArrival>, trouble: (error: unknown) => void) => {
    if (busy.current) return;
    busy.current = true;
    setProblem(undefined);
    setCodeProblem(undefined);
    setAct(kind);
    await ceremony().then(arrived, trouble);
    busy.current = false;
  };

  const codeFailed = (error: unknown) => {
    setAct("idle");
    setCodeProblem(troubleOf(error));
  };

  return {
    act,
    problem,
    codeProblem,
    other,
    spent,
    open,
    offer,
    signIn: () => void begin("passkey", () => signIn(), failed),
    signInByCode: (handle: string, code: string) => void begin("code", () => api.loginCode({ handle, code }), codeFailed),
  };
}
