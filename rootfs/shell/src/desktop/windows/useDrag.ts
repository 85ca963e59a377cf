// One drag with mouse, pen or finger: the pointer is captured, so that nothing beneath it (a terminal, an app's frame) takes it away.
// Our own rather than a library's, because a snapped window must come loose in the middle of its drag.
import { useRef, type MouseEvent, type PointerEvent } from "react";

export interface Drag {
  /** Called with the pointer's place at the start and now. */
  onMove: (startX: number, startY: number, x: number, y: number) => void;
  /** Called once, also when the drag was taken back (`kept` is false then). */
  onEnd: (kept: boolean) => void;
}

/** Fewer pixels than this are a click. */
const SLACK = 4;

/** False on a button, and in a menu: events of a portal bubble through React's tree, not the document's. */
export function onItself(event: MouseEvent<HTMLElement>): boolean {
  const target = event.target as Element;
  return event.currentTarget.contains(target) && !target.closest("button");
}

export function useDrag({ onMove, onEnd }: Drag) {
  const start = useRef<{ x: number; y: number; moving: boolean } | null>(null);
  const end = (kept: boolean) => {
    const moving = start.current?.moving;
    start.current = null;
    if (moving) onEnd(kept);
  };
  return {
    onPointerDown(event: PointerEvent<HTMLElement>) {
      if (event.button !== 0 || !onItself(event)) return;
      event.currentTarget.setPointerCapture(event.pointerId);
      start.current = { x: event.clientX, y: event.clientY, moving: false };
    },
    onPointerMove(event: PointerEvent<HTMLElement>) {
      const from = start.current;
      if (!from) return;
      from.moving ||= Math.hypot(event.clientX - from.x, event.clientY - from.y) >= SLACK;
      if (from.moving) onMove(from.x, from.y, event.clientX, event.clientY);
    },
    onPointerUp: () => end(true),
    onPointerCancel: () => end(false),
    onLostPointerCapture: () => end(true),
  };
}
