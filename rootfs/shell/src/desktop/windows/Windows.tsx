// All windows. Their order in the document never changes with the stacking, so that focus and scroll positions survive it.
import { memo, useState, type Dispatch } from "react";
import { besidePanel, snapRect, type Area, type Snap } from "./geometry.ts";
import { frontOf, panelOf, type Action, type Layout } from "./layout.ts";
import { Window } from "./Window.tsx";
import styles from "./window.module.css";

interface Props {
  layout: Layout;
  area: Area;
  phone: boolean;
  /** The phone shows its home; the windows live on behind it. */
  away: boolean;
  dispatch: Dispatch<Action>;
  onHome: () => void;
}

export const Windows = memo(function Windows({ layout, area, phone, away, dispatch, onHome }: Props) {
  const [hint, setHint] = useState<Snap>();
  const front = away ? undefined : frontOf(layout);
  const panel = panelOf(layout);
  const room = panel ? besidePanel(area) : area;
  const inDocument = layout.windows.toSorted((a, b) => a.id.localeCompare(b.id));
  return (
    <>
      {hint && <SnapHint snap={hint} area={room} depth={layout.windows.length} />}
      {inDocument.map((win) => (
        <Window
          key={win.id}
          win={win}
          siblings={layout.windows}
          depth={layout.windows.indexOf(win)}
          front={win === front}
          area={win === panel ? area : room}
          phone={phone}
          dispatch={dispatch}
          onHint={setHint}
          onHome={onHome}
        />
      ))}
    </>
  );
});

/** Above all windows but the front one, which comes later in the document at the same depth. */
function SnapHint({ snap, area, depth }: { snap: Snap; area: Area; depth: number }) {
  const { x, y, width, height } = snapRect(snap, area);
  return <div className={styles.hint} style={{ left: x, top: y, width, height, zIndex: depth }} aria-hidden="true" />;
}
