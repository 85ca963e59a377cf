// The thin bar: whose computer this is, how it is connected, what time it is.
import { Search } from "lucide-react";
import { Mark } from "@matrixos/look/Mark.tsx";
import type { Link } from "../../gateway/link.ts";
import { openPalette } from "../palette/open.ts";
import { Budget } from "./budget/Budget.tsx";
import { Clock } from "./Clock.tsx";
import styles from "./topbar.module.css";

const WORDS: Record<Link, string> = {
  connecting: "Connecting",
  connected: "Connected",
  unreachable: "Reconnecting",
  asleep: "Sleeping",
  signed_out: "Signed out",
};

export function TopBar({ handle, link }: { handle: string; link: Link }) {
  return (
    <header className={styles.bar}>
      <Mark size={20} />
      <h1 className={styles.handle}>{handle || "Matrix OS"}</h1>
      <span className={styles.space} />
      <button type="button" className={styles.search} aria-label="Command palette" title="Command palette (Ctrl K)" data-testid="palette-open" onClick={openPalette}>
        <Search aria-hidden="true" />
      </button>
      <Budget />
      <span className={styles.link} data-link={link} role="status">
        <i aria-hidden="true" />
        <span>{WORDS[link]}</span>
      </span>
      <Clock />
    </header>
  );
}
