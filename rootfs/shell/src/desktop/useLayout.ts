// The layout and its home: read once from the computer, written back a moment after it changed, and before the page goes.
import { useEffect, useReducer, useRef, useState, type Dispatch } from "react";
import { GatewayError, askJson, sendJson } from "../gateway/http.ts";
import { onLink, currentLink } from "../gateway/link.ts";
import { EMPTY, parseLayout, reduce, type Action, type Layout } from "./windows/layout.ts";

const CALM_MS = 800;

export function useLayout(): [Layout, Dispatch<Action>, ready: boolean] {
  const [layout, dispatch] = useReducer(reduce, EMPTY);
  const [ready, setReady] = useState(false);
  const saved = useRef<Layout>(EMPTY);

  useEffect(() => {
    const load = async () => {
      const stored = parseLayout(await askJson("/api/layout").catch(noneYet));
      saved.current = stored;
      dispatch({ type: "load", layout: stored });
      setReady(true);
    };
    return untilDone(load);
  }, []);

  useEffect(() => {
    if (!ready || layout === saved.current) return;
    const save = (init?: RequestInit) => {
      saved.current = layout;
      sendJson("PUT", "/api/layout", { greeted: layout.greeted, windows: layout.windows }, init).catch(() => (saved.current = EMPTY));
    };
    const timer = setTimeout(save, CALM_MS);
    const leave = () => saved.current !== layout && save({ keepalive: true });
    window.addEventListener("pagehide", leave);
    return () => {
      clearTimeout(timer);
      window.removeEventListener("pagehide", leave);
    };
  }, [layout, ready]);

  return [layout, dispatch, ready];
}

function noneYet(error: unknown): undefined {
  if (!(error instanceof GatewayError && error.status === 404)) throw error;
}

/** Runs `work` now and, should it fail, again each time the computer has come back. Returns how to stop. */
function untilDone(work: () => Promise<void>): () => void {
  let state: "busy" | "waiting" | "done" = "waiting";
  const attempt = () => {
    if (state !== "waiting") return;
    state = "busy";
    work().then(
      () => (state = "done"),
      () => {
        if (state === "busy") state = "waiting";
      },
    );
  };
  attempt();
  const forget = onLink(() => currentLink() === "connected" && attempt());
  return () => {
    state = "done";
    forget();
  };
}
