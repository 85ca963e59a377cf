// Which windows there are and how they lie. Pure state: an action and a layout in, a layout out; it is kept on the computer itself.
import { SNAPS, cascade, type Area, type Rect, type Snap } from "./geometry.ts";
import { KINDS, SINGLE, SIZES, type Kind } from "./kinds.ts";

export interface Win {
  id: string;
  kind: Kind;
  /** Its place while it is free; remembered while it is snapped. */
  rect: Rect;
  snap?: Snap;
  minimised?: boolean;
  /** What it shows: a terminal's session, the folder of a file browser, a conversation, an app. */
  subject?: string;
}

export interface Layout {
  /** The greeting of the first visit has been seen. */
  greeted: boolean;
  /** From the rearmost window to the front one. */
  windows: Win[];
  /** There were too many: this one was closed to make room. Not kept beyond the page. */
  away?: Win;
  /** None could be closed without a loss: these are opened as soon as its owner closes one. Not kept beyond the page. */
  waits?: Opening[];
}

export type Opening =
  | { type: "open"; kind: Kind; area: Area }
  | { type: "summon"; kind: Kind; area: Area }
  /** Shows a window with that subject: the one that has it, or a new one; settings and chat turn to it. `behind`: the front window stays in front. */
  | { type: "show"; kind: Kind; subject?: string; area: Area; behind?: boolean };

export type Action =
  | Opening
  | { type: "load"; layout: Layout }
  | { type: "greeted" }
  /** What was said about too many windows was read; what waits is given up. */
  | { type: "noted" }
  | { type: "focus" | "close" | "minimise"; id: string }
  | { type: "place"; id: string; rect: Rect }
  | { type: "snap"; id: string; snap: Snap | undefined }
  | { type: "subject"; id: string; subject: string | undefined };

export const EMPTY: Layout = { greeted: false, windows: [] };
export const MOST_WINDOWS = 16;

export function reduce(layout: Layout, action: Action): Layout {
  switch (action.type) {
    case "load":
      return joined(action.layout, layout);
    case "greeted":
      return { ...layout, greeted: true };
    case "noted": {
      const { away: _, waits: __, ...rest } = layout;
      return rest;
    }
    case "open":
    case "summon":
    case "show":
      return withRoom(layout, action);
    case "focus":
      return focused(layout, action.id);
    case "close":
      return closed(layout, action.id);
    case "minimise":
      return toBack(changed(layout, action.id, { minimised: true }), action.id);
    case "place":
      return changed(layout, action.id, { rect: action.rect, snap: undefined });
    case "snap":
      return changed(layout, action.id, { snap: action.snap });
    case "subject":
      return changed(layout, action.id, { subject: action.subject });
  }
}

function brought(layout: Layout, action: Opening): Layout {
  if (action.type === "open") return opened(layout, action.kind, action.area);
  if (action.type === "summon") return summoned(layout, action.kind, action.area);
  const next = shown(layout, action.kind, action.subject, action.area);
  return action.behind ? behindFront(next, frontOf(layout)) : next;
}

/** Those that look the same when they are opened again. */
const LOSE_NOTHING: readonly Kind[] = ["files", "system", "settings", "jobs", "activity"];

/** There are so many windows and no more: the one that was used longest ago gives way if nothing is lost by that, else the new one waits. */
function withRoom(layout: Layout, action: Opening): Layout {
  const next = brought(layout, action);
  if (next.windows.length <= MOST_WINDOWS) return next;
  const away = layout.windows.find((w) => LOSE_NOTHING.includes(w.kind) && w !== frontOf(layout));
  if (away) return { ...next, windows: next.windows.filter((w) => w.id !== away.id), away };
  const same = (other: Opening) => other.kind === action.kind && subjectOf(other) === subjectOf(action);
  return { ...layout, waits: [...(layout.waits ?? []).filter((other) => !same(other)), action] };
}

export const subjectOf = (opening: Opening) => (opening.type === "show" ? opening.subject : undefined);

function closed(layout: Layout, id: string): Layout {
  const left = { ...layout, windows: layout.windows.filter((w) => w.id !== id) };
  const [first, ...others] = layout.waits ?? [];
  if (!first || left.windows.length >= MOST_WINDOWS) return left;
  const { waits: _, ...rest } = left;
  return withRoom(others.length > 0 ? { ...rest, waits: others } : rest, first);
}

/** The stored windows behind those that were opened before they had arrived; these keep their ids, for they are already shown. */
function joined(stored: Layout, early: Layout): Layout {
  const known = stored.windows.filter((win) => !early.windows.some((w) => isSame(w, win)));
  return known.reduceRight<Layout>(
    (all, win) => {
      const id = all.windows.some((w) => w.id === win.id) ? freeId(all, win.kind, stored) : win.id;
      return { ...all, windows: [{ ...win, id }, ...all.windows] };
    },
    { greeted: stored.greeted || early.greeted, windows: early.windows },
  );
}

/** Two windows of which there can be only one. */
function isSame(one: Win, other: Win): boolean {
  if (one.kind !== other.kind || !SINGLE.includes(one.kind)) return false;
  return one.kind !== "app" || one.subject === other.subject;
}

export function frontOf(layout: Layout): Win | undefined {
  return layout.windows.findLast((w) => !w.minimised);
}

/** The panel at the right, while it is there. */
export const panelOf = (layout: Layout) => layout.windows.find((w) => w.snap === "panel" && !w.minimised);

/** The front window but for the panel, which takes no place from the others. */
export function frontOnGround(layout: Layout): Win | undefined {
  return layout.windows.findLast((w) => !w.minimised && w.snap !== "panel");
}

export const ofKind = (layout: Layout, kind: Kind) => layout.windows.filter((w) => w.kind === kind);

function changed(layout: Layout, id: string, change: Partial<Win>): Layout {
  return { ...layout, windows: layout.windows.map((w) => (w.id === id ? { ...w, ...change } : w)) };
}

function focused(layout: Layout, id: string): Layout {
  const win = layout.windows.find((w) => w.id === id);
  if (!win || (win === frontOf(layout) && win === layout.windows.at(-1))) return layout;
  return { ...layout, windows: [...layout.windows.filter((w) => w !== win), { ...win, minimised: false }] };
}

function toBack(layout: Layout, id: string): Layout {
  const [win] = layout.windows.filter((w) => w.id === id);
  return win ? { ...layout, windows: [win, ...layout.windows.filter((w) => w !== win)] } : layout;
}

function opened(layout: Layout, kind: Kind, area: Area): Layout {
  const rect = cascade(SIZES[kind], layout.windows.length, area);
  const win: Win = { id: freeId(layout, kind), kind, rect };
  // The chat is a panel until somebody makes it a window.
  if (kind === "chat") win.snap = "panel";
  return { ...layout, greeted: layout.greeted || kind !== "chat", windows: [...layout.windows, win] };
}

/** From the dock: bring the windows of a kind forward, one after the other, or open the first. */
function summoned(layout: Layout, kind: Kind, area: Area): Layout {
  const mine = ofKind(layout, kind);
  const front = frontOf(layout);
  const next = front?.kind === kind ? mine[0] : mine.at(-1);
  return next ? focused(layout, next.id) : opened(layout, kind, area);
}

/** Windows that turn to what is wanted instead of having another beside them. */
const TURNS: readonly Kind[] = ["settings", "chat"];

function shown(layout: Layout, kind: Kind, subject: string | undefined, area: Area): Layout {
  const mine = ofKind(layout, kind);
  const showing = mine.findLast((w) => w.subject === subject);
  const there = showing ?? (subject === undefined || TURNS.includes(kind) ? mine.at(-1) : undefined);
  const next = there ? focused(layout, there.id) : opened(layout, kind, area);
  const win = next.windows.at(-1);
  return win && subject !== undefined ? changed(next, win.id, { subject }) : next;
}

/** The window that has just been shown goes behind the one that was in front. */
function behindFront(layout: Layout, front: Win | undefined): Layout {
  const win = layout.windows.at(-1);
  const at = layout.windows.findIndex((w) => w.id === front?.id);
  if (!win || at === -1) return layout;
  return { ...layout, windows: layout.windows.slice(0, -1).toSpliced(at, 0, win) };
}

function freeId(layout: Layout, kind: Kind, also: Layout = EMPTY): string {
  const taken = new Set([...layout.windows, ...also.windows].map((w) => w.id));
  for (let n = 1; ; n++) if (!taken.has(`${kind}-${n}`)) return `${kind}-${n}`;
}

/** Reads a stored layout. It is a file its owner may edit: whatever makes no sense is left out. */
export function parseLayout(stored: unknown): Layout {
  if (!isRecord(stored)) return EMPTY;
  const windows = Array.isArray(stored.windows) ? stored.windows : [];
  const seen = new Set<string>();
  const known = windows.map(parseWindow).filter((w) => w !== undefined && !seen.has(w.id) && seen.add(w.id));
  return { greeted: stored.greeted === true, windows: (known as Win[]).slice(-MOST_WINDOWS) };
}

function parseWindow(stored: unknown): Win | undefined {
  if (!isRecord(stored) || typeof stored.id !== "string") return undefined;
  const kind = KINDS.find((k) => k === stored.kind);
  const rect = parseRect(stored.rect);
  if (!kind || !rect) return undefined;
  const win: Win = { id: stored.id, kind, rect, minimised: stored.minimised === true };
  const snap = SNAPS.find((s) => s === stored.snap);
  if (snap) win.snap = snap;
  if (typeof stored.subject === "string") win.subject = stored.subject;
  return win;
}

function parseRect(stored: unknown): Rect | undefined {
  if (!isRecord(stored)) return undefined;
  const { x, y, width, height } = stored;
  return isLength(x) && isLength(y) && isLength(width) && isLength(height) ? { x, y, width, height } : undefined;
}

const isLength = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value);
const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;
