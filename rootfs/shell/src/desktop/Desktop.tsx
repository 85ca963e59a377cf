// The whole screen: wallpaper, top bar, windows, dock.
import { useCallback, useEffect, useRef, useState } from "react";
import { goLive } from "../gateway/live.ts";
import { useLink, watchLink } from "../gateway/link.ts";
import styles from "./desktop.module.css";
import { AppIcons } from "./apps/AppIcons.tsx";
import { useApps, watchApps } from "./apps/apps.ts";
import { Asked } from "./Asked.tsx";
import { Crowded } from "./Crowded.tsx";
import { Dock } from "./dock/Dock.tsx";
import { Greeting } from "./greeting/Greeting.tsx";
import { useHandle } from "./handle.ts";
import { useIsPhone } from "./media.ts";
import { openWindow } from "./open.ts";
import { Palette } from "./palette/Palette.tsx";
import { TopBar } from "./topbar/TopBar.tsx";
import { useWallpaper } from "./theme/useWallpaper.ts";
import { useOpening } from "./useOpening.ts";
import { useLayout } from "./useLayout.ts";
import { useArea } from "./windows/useArea.ts";
import type { Kind } from "./windows/kinds.ts";
import { besidePanel } from "./windows/geometry.ts";
import { frontOf, frontOnGround, panelOf } from "./windows/layout.ts";
import { News } from "./News.tsx";
import { Notice } from "./Notice.tsx";
import { useShortcuts } from "./windows/useShortcuts.ts";
import { watchFrames } from "../windows/app/host.ts";
import { watchChat } from "../windows/chat/chat.ts";
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
  const room = panelOf(layout) ? besidePanel(area) : area;
  const [home, setHome] = useState(true);
  useEffect(watchLink, []);
  useEffect(watchChat, []);
  useEffect(watchApps, []);
  useEffect(watchFrames, []);
  useEffect(goLive, []);
  useShortcuts(layout, dispatch);
  useEndedTerminals(layout);

  const onLeaveHome = useCallback(() => setHome(false), []);
  const summon = useOpening({ layout, area: room, phone, dispatch, onLeaveHome });
  const goHome = useCallback(() => setHome(true), []);
  // Whatever closed the last window, there is something to see.
  const atHome = phone && (home || !frontOf(layout));
  const front = atHome ? undefined : frontOf(layout);
  const welcome = ready && !(phone ? front : frontOnGround(layout)) && (atHome || !layout.greeted);
  const chatSeen = layout.windows.some((w) => w.kind === "chat" && !w.minimised && (!phone || w === front));
  const apps = useApps() ?? [];
  useFocusAfterLast(front !== undefined);
  useFirstChat(ready && !phone && !layout.greeted && layout.windows.length === 0, summon);

  return (
    <div className={styles.desktop} {...useWallpaper(handle)}>
      <TopBar handle={handle} link={link} />
      <main ref={ground} className={styles.ground}>
        <div className={phone ? styles.home : styles.room} style={phone ? undefined : { width: room.width }} hidden={phone && !atHome}>
          {welcome && <Greeting handle={handle} first={!layout.greeted} onOpen={summon} onClose={() => dispatch({ type: "greeted" })} />}
          <AppIcons apps={apps} phone={phone} onOpen={openApp} />
        </div>
        <Windows layout={layout} area={area} phone={phone} away={atHome} dispatch={dispatch} onHome={goHome} />
        <Notice link={link} />
      </main>
      <div className={phone ? styles.saidBelow : styles.said}>
        <News />
        <Crowded layout={layout} dispatch={dispatch} />
        <Asked seen={chatSeen} onOpen={() => openWindow("chat")} />
      </div>
      <Dock layout={layout} front={front} apps={apps} phone={phone} onSummon={summon} onHome={goHome} />
      <Palette />
    </div>
  );
}

const openApp = (app: string) => openWindow("app", app);

/** Whoever closes the last window by key goes on at the dock, not at the top of the page. */
function useFocusAfterLast(any: boolean) {
  const had = useRef(any);
  useEffect(() => {
    if (had.current && !any && document.activeElement === document.body) document.querySelector<HTMLElement>("[data-dock] button")?.focus();
    had.current = any;
  }, [any]);
}

/** On the very first visit the AI's own greeting is there to be seen. */
function useFirstChat(first: boolean, summon: (kind: Kind) => void) {
  useEffect(() => {
    if (first) summon("chat");
  }, [first, summon]);
}
