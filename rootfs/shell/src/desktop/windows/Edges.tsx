// The eight places by which a window is resized. For pointers only: the keyboard has the window menu and its snaps.
import { useRef } from "react";
import { resized, type Edge, type Rect } from "./geometry.ts";
import { useDrag } from "./useDrag.ts";
import styles from "./window.module.css";

const EDGES: Edge[] = ["n", "s", "e", "w", "ne", "nw", "se", "sw"];

interface Props {
  rect: Rect;
  onLive: (rect: Rect | undefined) => void;
  onDone: (rect: Rect) => void;
}

export function Edges(props: Props) {
  return EDGES.map((edge) => <EdgeHandle key={edge} edge={edge} {...props} />);
}

function EdgeHandle({ edge, rect, onLive, onDone }: Props & { edge: Edge }) {
  const latest = useRef<Rect>(undefined);
  const drag = useDrag({
    onMove(startX, startY, x, y) {
      latest.current = resized(rect, edge, x - startX, y - startY);
      onLive(latest.current);
    },
    onEnd(kept) {
      onLive(undefined);
      if (kept && latest.current) onDone(latest.current);
    },
  });
  return <div {...drag} className={`${styles.edge} ${styles[edge]}`} aria-hidden="true" />;
}
