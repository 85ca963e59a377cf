// Where windows may be. Pure: an area and a rectangle in, a rectangle out; CSS pixels from the area's top left corner.

export interface Area {
  width: number;
  height: number;
}

export interface Rect extends Area {
  x: number;
  y: number;
}

export const SNAPS = ["full", "left", "right", "top-left", "top-right", "bottom-left", "bottom-right", "panel"] as const;
export type Snap = (typeof SNAPS)[number];

export type Edge = "n" | "s" | "e" | "w" | "ne" | "nw" | "se" | "sw";

export const SMALLEST: Area = { width: 320, height: 220 };
/** Distance from an edge, in pixels, at which a dragged window snaps. */
const REACH = 20;
/** Distance from a corner along its edge that means a quarter. */
const CORNER = 120;
const MARGIN = 8;
/** The panel at the right: as wide as a conversation reads well, and no more than a good third. */
const PANEL = 400;

export function snapRect(snap: Snap, area: Area): Rect {
  const width = (area.width - 3 * MARGIN) / 2;
  const height = (area.height - 3 * MARGIN) / 2;
  const right = 2 * MARGIN + width;
  const bottom = 2 * MARGIN + height;
  const tall = area.height - 2 * MARGIN;
  switch (snap) {
    case "full":
      return { x: 0, y: 0, ...area };
    case "left":
      return { x: MARGIN, y: MARGIN, width, height: tall };
    case "right":
      return { x: right, y: MARGIN, width, height: tall };
    case "top-left":
      return { x: MARGIN, y: MARGIN, width, height };
    case "top-right":
      return { x: right, y: MARGIN, width, height };
    case "bottom-left":
      return { x: MARGIN, y: bottom, width, height };
    case "bottom-right":
      return { x: right, y: bottom, width, height };
    case "panel":
      return { x: area.width - panelWidth(area) - MARGIN, y: MARGIN, width: panelWidth(area), height: tall };
  }
}

const panelWidth = (area: Area) => Math.round(Math.min(PANEL, Math.max(SMALLEST.width, area.width * 0.38)));

/** What the panel leaves to the others. */
export function besidePanel(area: Area): Area {
  return { ...area, width: area.width - panelWidth(area) - MARGIN };
}

/** What a window dropped with the pointer at (x, y) snaps to, if anything. */
export function snapAt(x: number, y: number, area: Area): Snap | undefined {
  const side = x <= REACH ? "left" : x >= area.width - REACH ? "right" : undefined;
  const nearTop = y <= CORNER;
  const nearBottom = y >= area.height - CORNER;
  if (side && nearTop) return `top-${side}`;
  if (side && nearBottom) return `bottom-${side}`;
  if (side) return side;
  if (y > REACH) return undefined;
  if (x <= CORNER) return "top-left";
  return x >= area.width - CORNER ? "top-right" : "full";
}

/** The same rectangle, made to lie wholly inside the area, shrunk only when it must be. */
export function inside(rect: Rect, area: Area): Rect {
  const width = Math.min(Math.max(rect.width, SMALLEST.width), area.width);
  const height = Math.min(Math.max(rect.height, SMALLEST.height), area.height);
  const x = Math.min(Math.max(rect.x, 0), area.width - width);
  const y = Math.min(Math.max(rect.y, 0), area.height - height);
  return { x, y, width, height };
}

/** Dragged by the title bar: any place where enough of the bar stays reachable. */
export function moved(rect: Rect, dx: number, dy: number, area: Area): Rect {
  const hold = 96;
  const x = Math.min(Math.max(rect.x + dx, hold - rect.width), area.width - hold);
  const y = Math.min(Math.max(rect.y + dy, 0), area.height - 40);
  return { ...rect, x, y };
}

/** Dragged by an edge or a corner; the opposite one stays where it is. */
export function resized(rect: Rect, edge: Edge, dx: number, dy: number): Rect {
  const next = { ...rect };
  if (edge.includes("e")) next.width = Math.max(SMALLEST.width, rect.width + dx);
  if (edge.includes("s")) next.height = Math.max(SMALLEST.height, rect.height + dy);
  if (edge.includes("w")) {
    next.width = Math.max(SMALLEST.width, rect.width - dx);
    next.x = rect.x + rect.width - next.width;
  }
  if (edge.includes("n")) {
    next.height = Math.max(SMALLEST.height, rect.height - dy);
    next.y = rect.y + rect.height - next.height;
  }
  return next;
}

/** A snapped window taken by its bar becomes free again, at its own size, with the pointer at the same part of the bar. */
export function freed(free: Rect, snapped: Rect, pointerX: number): Rect {
  const part = (pointerX - snapped.x) / snapped.width;
  return { ...free, x: pointerX - part * free.width, y: snapped.y };
}

/** A first place for the nth window: each so much further down and right that every title bar can be reached; then from the start. */
export function cascade(size: Area, nth: number, area: Area): Rect {
  const turn = nth % 5;
  const x = Math.round(area.width * 0.2) + turn * 40;
  const y = Math.round(area.height * 0.06) + turn * 48;
  return inside({ ...size, x, y }, area);
}
