// Windows by keyboard, from anywhere on the desktop: Ctrl+Alt and an arrow snaps, Ctrl+Alt+M minimises, +W closes, +N shows the next,
// and +D goes to the dock (in a terminal, Tab belongs to the shell).
// What is pressed inside of an app's frame is passed on by the bridge.
import { useEffect, useRef, type Dispatch } from "react";
import { frontOf, type Action, type Layout } from "./layout.ts";
import { mayClose } from "./leaving.ts";

type Press = (key: string) => boolean;
let press: Press = () => false;

/** As if Ctrl+Alt and that key had been pressed on the desktop. */
export const pressWindowKey = (key: string) => void press(key);

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
    const mine: Press = (key) => {
      const dock = key.toLowerCase() === "d" && document.querySelector<HTMLElement>("[data-dock] button");
      const action = actionFor(key, latest.current);
      if (dock) dock.focus();
      else if (action && (action.type !== "close" || mayClose(action.id))) dispatch(action);
      return Boolean(dock || action);
    };
    const onKey = (event: KeyboardEvent) => {
      if (!event.ctrlKey || !event.altKey || event.getModifierState("AltGraph") || !mine(event.key)) return;
      event.preventDefault();
      event.stopPropagation();
    };
    press = mine;
    window.addEventListener("keydown", onKey, { capture: true });
    return () => {
      window.removeEventListener("keydown", onKey, { capture: true });
      if (press === mine) press = () => false;
    };
  }, [dispatch]);
}
