// The login: at most one ceremony at a time, the button's before the browser's quiet offer.
import { browserSupportsWebAuthnAutofill } from "@simplewebauthn/browser";
import { useCallback, useEffect, useRef, useState } from "react";
import { signIn } from "../../platform/passkey.ts";
import { doorOf } from "../../platform/places.ts";
import { codeOf, textOf } from "../../platform/problem.ts";
import type { Arrival } from "../../platform/wire.ts";

export function useLogin(to: string | undefined) {
  const [act, setAct] = useState<"idle" | "passkey" | "opening">("idle");
  const [problem, setProblem] = useState<string>();
  const [other, setOther] = useState<string>();
  const [offerable, setOfferable] = useState(false);
  const busy = useRef(false);
  const offering = useRef(false);

  const arrived = useCallback(
    ({ handle }: Arrival) => {
      if (to !== undefined && to !== handle) return setOther(handle);
      setAct("opening");
      location.replace(doorOf(handle));
    },
    [to],
  );

  const failed = useCallback((error: unknown) => {
    setAct("idle");
    if (codeOf(error) !== "aborted") setProblem(textOf(error));
  }, []);

  useEffect(() => void browserSupportsWebAuthnAutofill().then(setOfferable), []);
  // Asked for once the person turns to the field, so that merely opening the page begins no ceremony. The button's own
  // ceremony ends an offer that is still open.
  const offer = () => {
    if (busy.current || offering.current) return;
    offering.current = true;
    signIn({ offered: true })
      .then(arrived, (error) => codeOf(error) === "passkey_cancelled" || failed(error))
      .finally(() => (offering.current = false));
  };

  const press = async () => {
    if (busy.current) return;
    busy.current = true;
    setProblem(undefined);
    setAct("passkey");
    await signIn().then(arrived, failed);
    busy.current = false;
  };

  return { act, problem, other, offer: offerable ? offer : undefined, signIn: () => void press() };
}
