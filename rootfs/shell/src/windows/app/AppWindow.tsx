// An app in its frame: an origin of its own that is nobody's, and a bridge to this desktop. When it crashes, the AI can be asked to
// mend it.
import { AppWindow as AppSign } from "lucide-react";
import { useEffect, useRef, useState, type RefObject } from "react";
import { useApp } from "../../desktop/apps/apps.ts";
import { ask } from "../../desktop/ask.ts";
import { useIsDark } from "../../desktop/media.ts";
import { openWindow } from "../../desktop/open.ts";
import { pressWindowKey } from "../../desktop/windows/useShortcuts.ts";
import { openPalette } from "../../desktop/palette/open.ts";
import { pageOf } from "../../gateway/apps.ts";
import { Empty, Failed, Loading } from "../../parts/States.tsx";
import type { Crash } from "./bridge.ts";
import { Crashed } from "./Crashed.tsx";
import { bridge } from "./host.ts";
import { repairOf } from "./repair.ts";
import { usePage } from "./usePage.ts";
import styles from "./app.module.css";

interface Props {
  app: string;
  onTitle: (title: string | undefined) => void;
  /** Somebody uses what is inside of the frame. */
  onUse: () => void;
  /** It is the front window. */
  active: boolean;
}

export function AppWindow({ app, onTitle, onUse, active }: Props) {
  const { name } = useApp(app);
  const { page, load } = usePage(app);
  useEffect(() => onTitle(name), [name, onTitle]);
  if (page.at === "looking") return <Loading what={name} />;
  if (page.at === "failed") return <Failed message={page.message} onRetry={load} />;
  if (page.at === "gone") return <Empty icon={<AppSign aria-hidden="true" />} title={`${name} is no longer there.`} text="Its file was deleted or renamed. Your AI can build it anew." />;
  return <Framed app={app} name={name} version={page.version} onAgain={load} onUse={onUse} active={active} />;
}

interface FramedProps {
  app: string;
  name: string;
  version: number;
  onAgain: () => void;
  onUse: () => void;
  active: boolean;
}

function Framed({ app, name, version, onAgain, onUse, active }: FramedProps) {
  const frame = useRef<HTMLIFrameElement>(null);
  const [crash, setCrash] = useState<Crash>();
  useGuest(frame, app, active, setCrash);
  useUse(frame, onUse);
  useEffect(() => setCrash(undefined), [version]);
  const fix = () => {
    if (crash) ask(repairOf(app, crash));
    setCrash(undefined);
  };
  return (
    <div className={styles.app}>
      <iframe ref={frame} className={styles.frame} title={name} sandbox="allow-scripts allow-forms" referrerPolicy="no-referrer" src={pageOf(app, version)} data-autofocus="true" />
      {crash && <Crashed name={name} crash={crash} onFix={fix} onAgain={onAgain} onClose={() => setCrash(undefined)} />}
    </div>
  );
}

type FrameRef = RefObject<HTMLIFrameElement | null>;

function useGuest(frame: FrameRef, app: string, active: boolean, onCrash: (crash: Crash) => void) {
  const dark = useIsDark();
  const front = useRef(active);
  useEffect(() => {
    front.current = active;
  }, [active]);
  const theme = useRef(dark);
  useEffect(() => {
    theme.current = dark;
    bridge.tellTheme();
  }, [dark]);
  useEffect(() => {
    const window = frame.current?.contentWindow;
    if (!window) return;
    return bridge.admit({
      app,
      frame: window,
      theme: () => (theme.current ? "dark" : "light"),
      onCrash,
      onNavigate: (to) => openWindow("app", to),
      onPalette: openPalette,
      // An app that says so without anybody having pressed it moves or closes itself at worst: the keys act on the front window,
      // and that is the app's own as long as the focus is inside of its frame.
      onWindowKey: (key) => front.current && document.activeElement === frame.current && pressWindowKey(key),
    });
  }, [frame, app, onCrash]);
}

/** A press inside of a frame is not heard outside; that the focus went there is. */
function useUse(frame: FrameRef, onUse: () => void) {
  const latest = useRef(onUse);
  useEffect(() => {
    latest.current = onUse;
  });
  useEffect(() => {
    const left = () => document.activeElement === frame.current && latest.current();
    window.addEventListener("blur", left);
    return () => window.removeEventListener("blur", left);
  }, [frame]);
}
