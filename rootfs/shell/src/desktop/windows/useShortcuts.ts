// Windows by keyboard, from anywhere on the desktop: Ctrl+Alt and an arrow snaps, Ctrl+Alt+M minimises, +W closes, +N shows the next,
// and +D goes to the dock (in a terminal, Tab belongs to the shell).
import { useEffect, useRef, type Dispatch } from "react";
import { frontOf, type Action, type Layout } from "./layout.ts";

export function actionFor(key: string, layout: Layout): Action | undefined {
  const front = frontOf(layout);
  const rearmost = layout.windows.find((w) => !w.minimised);
  if (!front || !rearmost) return undefined;
  const { id } = front;
  switch (key.toLowerCase()) {
    case "arrowleft":
      return { type: "snap", id, snap: "left" };
    case "arrowright":
      return { type: "snap", id, snap: "right" };
    case "arrowup":
      return { type: "snap", id, snap: "full" };
    case "arrowdown":
      return { type: "snap", id, snap: undefined };
    case "m":
      return { type: "minimise", id };
    case "w":
      return { type: "close", id };
    case "n":
      return { type: "focus", id: rearmost.id };
  }
  return undefined;
}

export function useShortcuts(layout: Layout, dispatch: Dispatch<Action>) {
  const latest = useRef(layout);
  useEffect(() => {
    latest.current = layout;
  }, [layout]);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (!event.ctrlKey || !event.altKey || event.getModifierState("AltGraph")) return;
      const dock = event.key.toLowerCase() === "d" && document.querySelector<HTMLElement>("[data-dock] button");
      const action = actionFor(event.key, latest.current);
      if (!dock && !action) return;
      event.preventDefault();
      event.stopPropagation();
      if (dock) dock.focus();
      else if (action) dispatch(action);
    };
    window.addEventListener("keydown", onKey, { capture: true });
    return () => window.removeEventListener("keydown", onKey, { capture: true });
  }, [dispatch]);
}
