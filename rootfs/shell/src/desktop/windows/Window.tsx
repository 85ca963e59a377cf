// One window: a quiet title bar, its content, and eight edges to resize it by. On a phone it is a card over the whole screen.
import { useEffect, useRef, useState, type Dispatch, type RefObject } from "react";
import { Fence } from "../../parts/Fence.tsx";
import { Contents } from "./Contents.tsx";
import { Edges } from "./Edges.tsx";
import { freed, inside, moved, snapAt, snapRect, type Area, type Rect, type Snap } from "./geometry.ts";
import { NAMES } from "./kinds.ts";
import type { Action, Win } from "./layout.ts";
import { TitleBar } from "./TitleBar.tsx";
import { useDrag } from "./useDrag.ts";
import styles from "./window.module.css";

export interface WindowProps {
  win: Win;
  /** All windows, this one among them. */
  siblings: Win[];
  depth: number;
  front: boolean;
  area: Area;
  phone: boolean;
  dispatch: Dispatch<Action>;
  onHint: (snap: Snap | undefined) => void;
  onHome: () => void;
}

export function Window(props: WindowProps) {
  const { win, siblings, depth, front, area, phone, dispatch, onHome } = props;
  const frame = useRef<HTMLElement>(null);
  const [live, setLive] = useState<Rect>();
  const [title, setTitle] = useState<string>();
  const settled = win.snap ? snapRect(win.snap, area) : inside(win.rect, area);
  const rect = live ?? settled;
  const bar = useBarDrag(props, settled, setLive, frame);
  useFocusWhenFront(frame, front);

  const name = `${NAMES[win.kind]}${title ? `: ${title}` : ""}`;
  const hidden = win.minimised || (phone && !front);
  return (
    <section
      ref={frame}
      role="dialog"
      aria-label={name}
      tabIndex={-1}
      hidden={hidden}
      data-testid={`window-${win.kind}`}
      data-front={front}
      data-app={win.kind === "app" ? win.subject : undefined}
      data-snap={phone ? undefined : win.snap}
      className={phone ? styles.card : styles.window}
      style={phone ? undefined : { left: rect.x, top: rect.y, width: rect.width, height: rect.height, zIndex: depth + 1 }}
      onPointerDownCapture={() => front || dispatch({ type: "focus", id: win.id })}
      onFocusCapture={() => front || dispatch({ type: "focus", id: win.id })}
    >
      <TitleBar win={win} siblings={siblings} title={title} area={area} phone={phone} drag={bar} dispatch={dispatch} onHome={onHome} />
      <div className={styles.content}>
        <Fence>
          <Contents win={win} active={front} visible={!hidden} dispatch={dispatch} onTitle={setTitle} />
        </Fence>
      </div>
      {!phone && win.snap !== "full" && win.snap !== "panel" && (
        <Edges rect={settled} onLive={setLive} onDone={(next) => dispatch({ type: "place", id: win.id, rect: inside(next, area) })} />
      )}
    </section>
  );
}

/** Moves the window by its bar; near an edge it shows where it would snap, and snaps there when let go. */
function useBarDrag(
  { win, area, dispatch, onHint }: WindowProps,
  settled: Rect,
  setLive: (rect: Rect | undefined) => void,
  frame: RefObject<HTMLElement | null>,
) {
  const target = useRef<Snap>(undefined);
  const latest = useRef(settled);
  return useDrag({
    onMove(startX, startY, x, y) {
      const ground = frame.current?.offsetParent?.getBoundingClientRect() ?? { left: 0, top: 0 };
      const from = win.snap ? freed(win.rect, settled, startX - ground.left) : settled;
      latest.current = moved(from, x - startX, y - startY, area);
      setLive(latest.current);
      target.current = snapAt(x - ground.left, y - ground.top, area);
      onHint(target.current);
    },
    onEnd(kept) {
      onHint(undefined);
      setLive(undefined);
      if (!kept) return;
      if (target.current) dispatch({ type: "snap", id: win.id, snap: target.current });
      else dispatch({ type: "place", id: win.id, rect: latest.current });
    },
  });
}

/** The front window has the focus, unless something inside it already has. */
function useFocusWhenFront(frame: RefObject<HTMLElement | null>, front: boolean) {
  useEffect(() => {
    const element = frame.current;
    if (!front || !element || element.contains(document.activeElement)) return;
    const wanted = element.querySelector<HTMLElement>("[data-autofocus]") ?? element;
    wanted.focus({ preventScroll: true });
  }, [front, frame]);
}
