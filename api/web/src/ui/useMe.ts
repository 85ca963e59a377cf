// Who is signed in here.
import { useEffect, useState } from "react";
import * as api from "../platform/api.ts";
import { codeOf, textOf } from "../platform/problem.ts";
import type { Me } from "../platform/wire.ts";

export type Visitor = { is: "asking" } | { is: "stranger" } | { is: "member"; me: Me } | { is: "unknown"; why: string };

export function useMe(): Visitor {
  const [visitor, setVisitor] = useState<Visitor>({ is: "asking" });
  useEffect(() => {
    const stop = new AbortController();
    api
      .me(stop.signal)
      .then((me) => setVisitor({ is: "member", me }))
      .catch((error) => !stop.signal.aborted && setVisitor(withoutMe(error)));
    return () => stop.abort();
  }, []);
  return visitor;
}

function withoutMe(error: unknown): Visitor {
  return codeOf(error) === "not_signed_in" ? { is: "stranger" } : { is: "unknown", why: textOf(error) };
}
