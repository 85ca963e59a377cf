// The terminal window: the screen, a word about the line when it is not well, and helper keys where there is no keyboard.
import { useEffect, useRef, useState, type RefObject } from "react";
import { Button } from "@matrixos/look/Button.tsx";
import { useIsDark, useIsTouch } from "../../desktop/media.ts";
import type { LineState } from "./connection.ts";
import { HelperKeys } from "./HelperKeys.tsx";
import { TerminalScreen, fontReady } from "./screen.ts";
import styles from "./terminal.module.css";

interface Props {
  session: string | undefined;
  active: boolean;
  visible: boolean;
  onSession: (session: string | undefined) => void;
  onTitle: (title: string | undefined) => void;
  onClose: () => void;
}

export default function TerminalWindow({ session, active, visible, onSession, onTitle, onClose }: Props) {
  const host = useRef<HTMLDivElement>(null);
  const touch = useIsTouch();
  const [state, setState] = useState<LineState>({ at: "connecting" });
  const [ctrl, setCtrl] = useState(false);
  const screen = useScreen(host, session, { onSession, onState: setState, onTitle, onCtrlUsed: () => setCtrl(false) });

  useEffect(() => {
    if (active && visible) screen?.focus();
  }, [active, visible, screen]);

  const holdCtrl = (held: boolean) => {
    setCtrl(held);
    if (screen) screen.ctrl = held;
    screen?.focus();
  };

  return (
    <div className={styles.terminal}>
      <div ref={host} className={styles.screen} data-line={state.at} />
      <Line state={state} onAgain={() => screen?.restart()} onClose={onClose} />
      {touch && <HelperKeys ctrl={ctrl} onCtrl={holdCtrl} onType={(text) => screen?.press(text)} />}
    </div>
  );
}

type Hooks = ConstructorParameters<typeof TerminalScreen>[4];

function useScreen(host: RefObject<HTMLDivElement | null>, session: string | undefined, hooks: Hooks): TerminalScreen | undefined {
  const dark = useIsDark();
  const touch = useIsTouch();
  const [screen, setScreen] = useState<TerminalScreen>();
  const latest = useRef({ session, hooks, dark, touch });
  useEffect(() => {
    latest.current = { session, hooks, dark, touch };
  });

  useEffect(() => {
    let made: TerminalScreen | undefined;
    let gone = false;
    void fontReady().then(() => {
      if (gone || !host.current) return;
      const now = latest.current;
      made = new TerminalScreen(host.current, now.session, now.dark, now.touch, {
        onSession: (id) => latest.current.hooks.onSession(id),
        onState: (state) => latest.current.hooks.onState(state),
        onTitle: (title) => latest.current.hooks.onTitle(title),
        onCtrlUsed: () => latest.current.hooks.onCtrlUsed(),
      });
      setScreen(made);
    });
    return () => {
      gone = true;
      made?.dispose();
    };
  }, [host]);

  useEffect(() => {
    const element = host.current;
    if (!screen || !element) return;
    const observer = new ResizeObserver(() => screen.fit());
    observer.observe(element);
    return () => observer.disconnect();
  }, [screen, host]);

  useEffect(() => screen?.recolour(dark), [screen, dark]);
  return screen;
}

/** What there is to say about the line to the shell; nothing while it is open. */
function Line({ state, onAgain, onClose }: { state: LineState; onAgain: () => void; onClose: () => void }) {
  if (state.at === "open") return null;
  const over = state.at === "ended" || state.at === "refused";
  return (
    <div className={styles.line} role="status" data-over={over}>
      <span>{wordsFor(state)}</span>
      {over && <Button onClick={onAgain}>New shell</Button>}
      {over && (
        <Button kind="plain" onClick={onClose}>
          Close
        </Button>
      )}
    </div>
  );
}

function wordsFor(state: LineState): string {
  switch (state.at) {
    case "open":
      return "";
    case "connecting":
      return "Connecting";
    case "reconnecting":
      return state.overflowed ? "Reconnecting. The last you typed was too much to keep." : "Reconnecting. What you type is kept.";
    case "ended":
      return state.code ? `The shell has ended with code ${state.code}.` : "The shell has ended.";
    case "refused":
      return state.message;
  }
}
