// The one line of this page to the computer, and those who listen to what happens there.
import { useEffect, useRef } from "react";
import { Line } from "./line.ts";
import { currentLink, heard, lost, onLink, used } from "./link.ts";
import { liveUrl, type Event, type FileChange, type Said } from "./protocol.ts";

type Listener = (event: Event) => void;

const KEPT = "matrixos.unconfirmed";
const listeners = new Set<Listener>();
const openings = new Set<() => void>();
let line: Line | undefined;
let session: string | undefined;

/** Connects, and stays connected until the returned function is called. */
export function goLive(): () => void {
  const surroundings = {
    open: () => new WebSocket(liveUrl(location.href)),
    later: (run: () => void, ms: number) => {
      const timer = setTimeout(run, ms);
      return () => clearTimeout(timer);
    },
    again: onceThere,
  };
  const hooks = {
    onEvent: (event: Event) => [...listeners].forEach((listener) => listener(event)),
    onOpen: () => {
      before = "connected";
      heard();
      [...openings].forEach((opened) => opened());
    },
    onLost: () => {
      lost("unreachable");
      // Somebody waits for an answer to what was said last.
      if (kept().length > 0) used();
    },
    onUnconfirmed: keep,
  };
  let before = currentLink();
  const mine = new Line(surroundings, hooks, kept(), session);
  line = mine;
  const forgetLink = onLink(() => {
    const was = before;
    before = currentLink();
    if (before !== "connected") return;
    // A line that was open when the network went may not know that it is dead.
    if (was === "unreachable") mine.renew();
    mine.retryNow();
  });
  return () => {
    forgetLink();
    mine.dispose();
    if (line === mine) line = undefined;
  };
}

/** After so many milliseconds, and not before the computer is known to be there: a try could wake it. */
function onceThere(run: () => void, ms: number): () => void {
  let over = false;
  let forget = () => {};
  const attempt = () => {
    if (over || currentLink() !== "connected") return;
    over = true;
    forget();
    run();
  };
  const timer = setTimeout(() => {
    forget = onLink(attempt);
    attempt();
  }, ms);
  return () => {
    over = true;
    clearTimeout(timer);
    forget();
  };
}

/** The line, once the desktop has gone live. */
export const currentLine = () => line;

/** Is in that conversation from now on, over every line. */
export function goTo(conversation: string) {
  session = conversation;
  line?.switchTo(conversation);
}

/** Listens to everything that happens; returns how to stop. */
export function onEvent(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Hears when the line is open, at first and again after each loss. */
export function onOpen(opened: () => void): () => void {
  openings.add(opened);
  return () => openings.delete(opened);
}

/**
 * Calls `onChange` when a file changes that `concerns` names (paths relative to the home: `apps/todo.html`), and when
 * changes may have been missed; without `changes` then.
 */
export function onFileChange(concerns: (path: string) => boolean, onChange: (changes?: FileChange[]) => void): () => void {
  let opened = line !== undefined;
  const forgetEvents = onEvent((event) => {
    if (event.type === "resync" || (event.type === "file:change" && event.more)) onChange();
    else if (event.type === "file:change") {
      const changes = event.changes.filter(({ path }) => concerns(path));
      if (changes.length > 0) onChange(changes);
    }
  });
  const forgetOpenings = onOpen(() => {
    if (opened) onChange();
    opened = true;
  });
  return () => {
    forgetEvents();
    forgetOpenings();
  };
}

/** `onFileChange` for as long as a component is there. */
export function useFileChange(concerns: (path: string) => boolean, onChange: (changes?: FileChange[]) => void) {
  const latest = useRef({ concerns, onChange });
  useEffect(() => {
    latest.current = { concerns, onChange };
  });
  useEffect(
    () =>
      onFileChange(
        (path) => latest.current.concerns(path),
        (changes) => latest.current.onChange(changes),
      ),
    [],
  );
}

/** What was said and not confirmed outlives a reload of the page. */
function keep(said: Said[]) {
  try {
    sessionStorage.setItem(KEPT, JSON.stringify(said));
  } catch {
    // No room, or not allowed: it still lives as long as the page.
  }
}

function kept(): Said[] {
  try {
    const said = JSON.parse(sessionStorage.getItem(KEPT) ?? "[]") as unknown;
    return Array.isArray(said) ? (said as Said[]).filter((one) => typeof one?.text === "string" && typeof one.requestId === "string") : [];
  } catch {
    return [];
  }
}
