// A window's bar: what it is, a menu of places, and minimise, fill, close. On a phone: back, the windows of this kind, close.
import { ChevronDown, Copy, Minus, PanelRight, PictureInPicture2, Plus, Square, X } from "lucide-react";
import type { Dispatch } from "react";
import { IconButton } from "@matrixos/look/Button.tsx";
import { baseName } from "../../windows/files/paths.ts";
import { AppSign } from "../apps/AppIcon.tsx";
import { useApp } from "../apps/apps.ts";
import { KIND_ICONS } from "./icons.tsx";
import type { Area } from "./geometry.ts";
import { NAMES, SINGLE } from "./kinds.ts";
import { type Action, type Win } from "./layout.ts";
import { mayClose } from "./leaving.ts";
import { onItself, type useDrag } from "./useDrag.ts";
import { PlaceMenu } from "./PlaceMenu.tsx";
import styles from "./titlebar.module.css";

interface Props {
  win: Win;
  siblings: Win[];
  title: string | undefined;
  area: Area;
  phone: boolean;
  drag: ReturnType<typeof useDrag>;
  dispatch: Dispatch<Action>;
  onHome: () => void;
}

export function TitleBar(props: Props) {
  return props.phone ? <CardBar {...props} /> : <WindowBar {...props} />;
}

function WindowBar({ win, title, area, drag, dispatch }: Props) {
  const { id, kind } = win;
  const full = win.snap === "full";
  const panel = win.snap === "panel";
  const fill = () => dispatch({ type: "snap", id, snap: full ? undefined : "full" });
  return (
    <header className={styles.bar} {...drag} onDoubleClick={(event) => onItself(event) && fill()}>
      <Sign win={win} />
      <h2 className={styles.title}>{title || NAMES[kind]}</h2>
      <More win={win} area={area} dispatch={dispatch} />
      {kind === "chat" && <PanelSwitch win={win} dispatch={dispatch} />}
      {!panel && <PlaceMenu snap={win.snap} onPlace={(snap) => dispatch({ type: "snap", id, snap })} />}
      <IconButton label="Minimise" className={styles.act} onClick={() => dispatch({ type: "minimise", id })}>
        <Minus aria-hidden="true" />
      </IconButton>
      {!panel && (
        <IconButton label={full ? "Restore" : "Fill the screen"} className={styles.act} onClick={fill}>
          {full ? <Copy aria-hidden="true" /> : <Square aria-hidden="true" />}
        </IconButton>
      )}
      <IconButton label="Close" className={styles.act} onClick={() => mayClose(id) && dispatch({ type: "close", id })}>
        <X aria-hidden="true" />
      </IconButton>
    </header>
  );
}

function Sign({ win: { kind, subject } }: Pick<Props, "win">) {
  const Icon = KIND_ICONS[kind];
  return kind === "app" && subject ? <AppSign name={subject} /> : <Icon className={styles.icon} aria-hidden="true" />;
}

/** The chat can be a panel at the right, or a window like any other. */
function PanelSwitch({ win: { id, snap }, dispatch }: Pick<Props, "win" | "dispatch">) {
  const panel = snap === "panel";
  return (
    <IconButton
      label={panel ? "Make it a window" : "Make it a panel"}
      className={styles.act}
      onClick={() => dispatch({ type: "snap", id, snap: panel ? undefined : "panel" })}
    >
      {panel ? <PictureInPicture2 aria-hidden="true" /> : <PanelRight aria-hidden="true" />}
    </IconButton>
  );
}

function CardBar({ win, siblings, title, area, dispatch, onHome }: Props) {
  const peers = siblings.filter((w) => w.kind === win.kind).toSorted((a, b) => a.id.localeCompare(b.id));
  const close = () => {
    if (!mayClose(win.id)) return;
    dispatch({ type: "close", id: win.id });
    const next = peers.findLast((w) => w !== win);
    if (next) dispatch({ type: "focus", id: next.id });
    else onHome();
  };
  return (
    <header className={`${styles.bar} ${styles.phone}`}>
      <IconButton label="Back to the desktop" className={styles.act} onClick={onHome}>
        <ChevronDown aria-hidden="true" />
      </IconButton>
      {peers.length > 1 ? <Peers peers={peers} win={win} dispatch={dispatch} /> : <h2 className={styles.title}>{title || NAMES[win.kind]}</h2>}
      <More win={win} area={area} dispatch={dispatch} />
      <IconButton label="Close" className={styles.act} onClick={close}>
        <X aria-hidden="true" />
      </IconButton>
    </header>
  );
}

/** Several windows of one kind on a phone: one chip each. */
function Peers({ peers, win, dispatch }: { peers: Win[]; win: Win; dispatch: Dispatch<Action> }) {
  return (
    <nav className={styles.peers} aria-label={`Open ${NAMES[win.kind].toLowerCase()} windows`}>
      {peers.map((peer, index) => (
        <button
          key={peer.id}
          type="button"
          className={styles.peer}
          aria-current={peer === win}
          ref={peer === win ? intoSight : undefined}
          onClick={() => dispatch({ type: "focus", id: peer.id })}
        >
          <PeerName peer={peer} number={index + 1} />
        </button>
      ))}
    </nav>
  );
}

/** What it shows, where that has a name. */
function PeerName({ peer: { kind, subject = "" }, number }: { peer: Win; number: number }) {
  const app = useApp(subject);
  if (kind === "app") return app.name;
  return kind === "editor" && subject ? baseName(subject) : `${NAMES[kind]} ${number}`;
}

const intoSight = (chip: HTMLElement | null) => chip?.scrollIntoView({ block: "nearest", inline: "center" });

function More({ win, area, dispatch }: Pick<Props, "win" | "area" | "dispatch">) {
  if (SINGLE.includes(win.kind)) return null;
  return (
    <IconButton label={`New ${NAMES[win.kind].toLowerCase()} window`} className={styles.act} onClick={() => dispatch({ type: "open", kind: win.kind, area })}>
      <Plus aria-hidden="true" />
    </IconButton>
  );
}
