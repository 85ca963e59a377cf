// The whole screen: wallpaper, top bar, windows, dock.
import { useCallback, useEffect, useRef, useState } from "react";
import { goLive } from "../gateway/live.ts";
import { useLink, watchLink } from "../gateway/link.ts";
import styles from "./desktop.module.css";
import { Dock } from "./dock/Dock.tsx";
import { Greeting } from "./greeting/Greeting.tsx";
import { useHandle } from "./handle.ts";
import { useIsPhone } from "./media.ts";
import { onOpenWindow } from "./open.ts";
import { TopBar } from "./topbar/TopBar.tsx";
import { useWallpaper } from "./theme/useWallpaper.ts";
import { useLayout } from "./useLayout.ts";
import { useArea } from "./windows/useArea.ts";
import type { Kind } from "./windows/kinds.ts";
import { frontOf } from "./windows/layout.ts";
import { News } from "./News.tsx";
import { Notice } from "./Notice.tsx";
import { useShortcuts } from "./windows/useShortcuts.ts";
import { useEndedTerminals } from "../windows/terminal/useEndedTerminals.ts";
import { Windows } from "./windows/Windows.tsx";

const LAPTOP = { width: 1280, height: 680 };

export function Desktop() {
  const handle = useHandle();
  const phone = useIsPhone();
  const link = useLink();
  const ground = useRef<HTMLElement>(null);
  const measured = useArea(ground);
  // Windows that are opened on a phone get a place too: the one they will have on a larger screen.
  const area = phone ? LAPTOP : measured;
  const [layout, dispatch, ready] = useLayout();
  const [home, setHome] = useState(true);
  useEffect(watchLink, []);
  useEffect(goLive, []);
  useShortcuts(layout, dispatch);
  useEndedTerminals(layout);

  const summon = useCallback(
    (kind: Kind) => {
      setHome(false);
      dispatch({ type: "summon", kind, area });
    },
    [area, dispatch],
  );
  useEffect(() => onOpenWindow((wanted) => {
    setHome(false);
    dispatch({ type: "show", ...wanted, area });
  }), [area, dispatch]);
  const goHome = useCallback(() => setHome(true), []);
  const atHome = phone && home;
  const front = atHome ? undefined : frontOf(layout);
  const welcome = ready && !front && (atHome || !layout.greeted);

  return (
    <div className={styles.desktop} {...useWallpaper(handle)}>
      <TopBar handle={handle} link={link} />
      <main ref={ground} className={styles.ground}>
        {welcome && <Greeting handle={handle} first={!layout.greeted} onOpen={summon} onClose={() => dispatch({ type: "greeted" })} />}
        <Windows layout={layout} area={area} phone={phone} away={atHome} dispatch={dispatch} onHome={goHome} />
        <Notice link={link} />
        <News />
      </main>
      <Dock layout={layout} front={front?.kind} phone={phone} onSummon={summon} onHome={goHome} />
    </div>
  );
}
