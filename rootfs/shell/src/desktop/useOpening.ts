// Whatever brings a window forward: the dock, other windows, a question to the AI, and the AI itself when it has made an app.
import { useCallback, useEffect, useRef, type Dispatch } from "react";
import { onEvent } from "../gateway/live.ts";
import { say } from "../windows/chat/chat.ts";
import { onAsk } from "./ask.ts";
import { onOpenWindow } from "./open.ts";
import type { Area } from "./windows/geometry.ts";
import type { Kind } from "./windows/kinds.ts";
import { frontOf, panelOf, type Action, type Layout } from "./windows/layout.ts";

interface Ground {
  layout: Layout;
  /** Where windows that are opened may be. */
  area: Area;
  phone: boolean;
  dispatch: Dispatch<Action>;
  /** On a phone: leave the home for the windows. */
  onLeaveHome: () => void;
}

export function useOpening(ground: Ground): (kind: Kind) => void {
  const latest = useRef(ground);
  useEffect(() => {
    latest.current = ground;
  });
  useEffect(() => {
    const forgetWanted = onOpenWindow((wanted) => {
      const { area, dispatch, onLeaveHome } = latest.current;
      onLeaveHome();
      dispatch({ type: "show", ...wanted, area });
    });
    const forgetAsked = onAsk((text) => {
      const { area, dispatch, onLeaveHome } = latest.current;
      onLeaveHome();
      dispatch({ type: "show", kind: "chat", area });
      say(text);
    });
    const forgetEvents = onEvent((event) => event.type === "app:open" && showApp(latest.current, event.name));
    return () => {
      forgetWanted();
      forgetAsked();
      forgetEvents();
    };
  }, []);
  return useCallback((kind: Kind) => {
    const { area, dispatch, onLeaveHome } = latest.current;
    onLeaveHome();
    dispatch({ type: "summon", kind, area });
  }, []);
}

/** The app comes into sight, and takes the focus only from somebody who is not typing. */
function showApp({ layout, area, phone, dispatch, onLeaveHome }: Ground, app: string) {
  const front = frontOf(layout);
  const beside = !phone && front !== undefined && front === panelOf(layout);
  const behind = beside || isTyping();
  if (!behind) onLeaveHome();
  dispatch({ type: "show", kind: "app", subject: app, area, behind });
}

function isTyping(): boolean {
  const field = document.activeElement;
  return (field instanceof HTMLTextAreaElement || field instanceof HTMLInputElement) && field.value !== "";
}
