// One xterm with its line to the shell, outside of React: made when a terminal window appears, disposed of with it.
import { FitAddon } from "@xterm/addon-fit";
import { Terminal } from "@xterm/xterm";
import "@xterm/xterm/css/xterm.css";
import { currentLink, heard, lost, onLink } from "../../gateway/link.ts";
import { TerminalConnection, type LineState } from "./connection.ts";
import { isReport, withCtrl } from "./keys.ts";
import { socketUrl } from "./protocol.ts";
import { openStrictly } from "./strict.ts";
import { terminalTheme } from "./theme.ts";

export interface ScreenHooks {
  onSession: (session: string) => void;
  onState: (state: LineState) => void;
  onTitle: (title: string) => void;
  /** The held Ctrl has been used. */
  onCtrlUsed: () => void;
}

const FONT = '"JetBrains Mono Variable", ui-monospace, monospace';
const SCROLLBACK_LINES = 5_000;

export class TerminalScreen {
  /** The next typed character is a control character. */
  ctrl = false;
  private readonly terminal: Terminal;
  private readonly fitter = new FitAddon();
  private readonly connection: TerminalConnection;
  private readonly forgetLink: () => void;
  private readonly forgetStyles: () => void;
  /** What is written now is the shell's past; see `isReport`. */
  private replaying = false;

  constructor(host: HTMLElement, session: string | undefined, dark: boolean, touch: boolean, private readonly hooks: ScreenHooks) {
    this.terminal = new Terminal({
      fontFamily: FONT,
      fontSize: touch ? 13 : 14,
      lineHeight: 1.2,
      scrollback: SCROLLBACK_LINES,
      cursorBlink: !matchMedia("(prefers-reduced-motion: reduce)").matches,
      minimumContrastRatio: 4.5,
      theme: terminalTheme(dark),
    });
    this.terminal.loadAddon(this.fitter);
    this.forgetStyles = openStrictly(() => this.terminal.open(host));
    // Whoever cannot see the window's menu has to know the way out.
    this.terminal.textarea?.setAttribute("aria-description", "Tab belongs to the shell. Control Alt D leaves it for the dock.");
    this.fitter.fit();
    this.connection = this.connect(session);
    this.terminal.onData((text) => this.typed(text));
    this.terminal.onBinary((text) => this.typed(text));
    this.terminal.onResize((size) => this.connection.resize(size));
    this.terminal.onTitleChange(hooks.onTitle);
    this.terminal.attachCustomKeyEventHandler((event) => !this.copies(event));
    this.forgetLink = onLink(() => currentLink() === "connected" && this.connection.retryNow());
  }

  private connect(session: string | undefined): TerminalConnection {
    const { cols, rows } = this.terminal;
    const surroundings = {
      open: (of: string | undefined) => new WebSocket(socketUrl(location.href, of)),
      later: (run: () => void, ms: number) => {
        // Until the computer is known to be there, a try could wake it; when it is, `retryNow` comes.
        const timer = setTimeout(() => currentLink() === "connected" && run(), ms);
        return () => clearTimeout(timer);
      },
    };
    const hooks = {
      onOutput: (bytes: Uint8Array) => this.terminal.write(bytes),
      onAfresh: () => this.terminal.reset(),
      // In step with what xterm has parsed, not with what has arrived.
      onReplaying: (replaying: boolean) => this.terminal.write("", () => (this.replaying = replaying)),
      onSession: this.hooks.onSession,
      onState: (state: LineState) => this.lineBecame(state),
    };
    return new TerminalConnection(surroundings, hooks, session, { cols, rows });
  }

  private lineBecame(state: LineState) {
    if (state.at === "open") heard();
    if (state.at === "reconnecting") lost("unreachable");
    this.hooks.onState(state);
  }

  private typed(text: string) {
    if (this.replaying && isReport(text)) return;
    if (!this.ctrl) return this.connection.type(text);
    this.ctrl = false;
    this.hooks.onCtrlUsed();
    this.connection.type(withCtrl(text));
  }

  /** Ctrl+Shift+C copies the selection, as terminals do; plain Ctrl+C belongs to the shell. */
  private copies(event: KeyboardEvent): boolean {
    if (event.type !== "keydown" || !event.ctrlKey || !event.shiftKey || event.code !== "KeyC") return false;
    event.preventDefault();
    const selection = this.terminal.getSelection();
    // A browser that refuses the clipboard leaves the selection in place: its own menu still copies it.
    if (selection) navigator.clipboard?.writeText(selection).catch(() => undefined);
    return true;
  }

  /** A helper key was pressed. */
  press(text: string) {
    this.typed(text);
    this.terminal.scrollToBottom();
    this.focus();
  }

  fit() {
    if (this.fitter.proposeDimensions()?.cols) this.fitter.fit();
  }

  focus() {
    this.terminal.focus();
  }

  recolour(dark: boolean) {
    this.terminal.options.theme = terminalTheme(dark);
  }

  restart() {
    this.terminal.reset();
    this.connection.restart();
    this.focus();
  }

  retryNow() {
    this.connection.retryNow();
  }

  dispose() {
    this.forgetLink();
    this.connection.dispose();
    this.terminal.dispose();
    this.forgetStyles();
  }
}

/** xterm measures the font once, when it opens: have it ready by then. */
export async function fontReady(): Promise<void> {
  await document.fonts.load(`14px ${FONT}`).catch(() => undefined);
}
