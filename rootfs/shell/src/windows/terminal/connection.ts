// A terminal's line to its shell. The shell lives on in the gateway when the line drops; this side connects again with
// back-off to the same session, replays what the gateway remembers, and then sends what was typed in the meantime.
import { backOff } from "../../gateway/backoff.ts";
import { readControl } from "./protocol.ts";

export type LineState =
  | { at: "connecting" }
  | { at: "open" }
  | { at: "reconnecting"; /** Typing beyond the bound was not kept. */ overflowed: boolean }
  | { at: "ended"; code: number | undefined }
  | { at: "refused"; message: string };

/** What is used of a WebSocket; tests pass another. */
export type Socket = Pick<WebSocket, "send" | "close" | "binaryType" | "onopen" | "onmessage" | "onclose">;

export interface Surroundings {
  open: (session: string | undefined, size: Size) => Socket;
  later: (run: () => void, ms: number) => () => void;
}

export interface Size {
  cols: number;
  rows: number;
}

export interface Hooks {
  /** Bytes of the shell. */
  onOutput: (bytes: Uint8Array) => void;
  /** A new line: what is on the screen now must go, for the shell's past is sent again. */
  onAfresh: () => void;
  /** The bytes of the past begin, or are over. */
  onReplaying: (replaying: boolean) => void;
  onSession: (session: string) => void;
  onState: (state: LineState) => void;
}

/** Characters kept while there is no line; more is refused rather than held without bound. */
export const MOST_HELD = 16_384;

/** Bytes in one message: a paste goes in several, for the gateway takes no large ones. */
export const MOST_AT_ONCE = 65_536;

export class TerminalConnection {
  private socket: Socket | undefined;
  private state: LineState = { at: "connecting" };
  private held = "";
  private failures = 0;
  private replayLeft = 0;
  private cancelRetry: (() => void) | undefined;

  constructor(
    private readonly surroundings: Surroundings,
    private readonly hooks: Hooks,
    private session: string | undefined,
    private size: Size,
  ) {
    this.connect();
  }

  /** Sends what was typed, or holds it until there is a line again. */
  type(text: string) {
    const { at } = this.state;
    if (at === "open") this.pass(text);
    else if (at === "connecting" || at === "reconnecting") this.hold(text);
  }

  resize(size: Size) {
    if (size.cols === this.size.cols && size.rows === this.size.rows) return;
    this.size = size;
    if (this.state.at === "open") this.sendSize();
  }

  /** The computer is known to be back: do not wait any longer. */
  retryNow() {
    if (!this.cancelRetry) return;
    this.cancelRetry();
    this.failures = 0;
    this.connect();
  }

  /** A fresh shell in place of one that has ended or could not be had. */
  restart() {
    this.dispose();
    this.session = undefined;
    this.become({ at: "connecting" });
    this.connect();
  }

  /** Lets go of the line; the shell stays. */
  dispose() {
    this.cancelRetry?.();
    this.cancelRetry = undefined;
    const socket = this.socket;
    this.socket = undefined;
    socket?.close();
  }

  private connect() {
    this.cancelRetry = undefined;
    const socket = this.surroundings.open(this.session, this.size);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => this.socket === socket && this.opened();
    socket.onmessage = ({ data }) => this.socket === socket && this.heard(data as ArrayBuffer | string);
    socket.onclose = ({ code, reason }) => this.socket === socket && this.closed(code, reason);
    this.socket = socket;
  }

  private opened() {
    this.failures = 0;
    this.hooks.onAfresh();
    this.become({ at: "open" });
    this.sendSize();
    if (this.held) this.pass(this.held);
    this.held = "";
  }

  private heard(data: ArrayBuffer | string) {
    if (typeof data !== "string") return this.output(new Uint8Array(data));
    const control = readControl(data);
    if (control?.type === "session") {
      this.session = control.id;
      this.replayLeft = control.replay;
      this.hooks.onReplaying(control.replay > 0);
      this.hooks.onSession(control.id);
    } else if (control?.type === "exit") {
      this.become({ at: "ended", code: control.code });
    }
  }

  private output(bytes: Uint8Array) {
    this.hooks.onOutput(bytes);
    if (this.replayLeft === 0) return;
    this.replayLeft = Math.max(0, this.replayLeft - bytes.length);
    if (this.replayLeft === 0) this.hooks.onReplaying(false);
  }

  private closed(code: number, reason: string) {
    this.socket = undefined;
    if (this.state.at === "ended") return;
    if (code >= 4000 && code < 5000) return this.become({ at: "refused", message: reason || "The terminal could not be opened." });
    const overflowed = this.state.at === "reconnecting" && this.state.overflowed;
    this.become({ at: "reconnecting", overflowed });
    this.cancelRetry = this.surroundings.later(() => this.connect(), backOff(this.failures++));
  }

  private hold(text: string) {
    if (this.held.length + text.length <= MOST_HELD) this.held += text;
    else if (this.state.at === "reconnecting") this.become({ at: "reconnecting", overflowed: true });
  }

  private pass(text: string) {
    const bytes = encoder.encode(text);
    for (let at = 0; at < bytes.length; at += MOST_AT_ONCE) this.socket?.send(bytes.slice(at, at + MOST_AT_ONCE));
  }

  private sendSize() {
    this.socket?.send(JSON.stringify({ type: "resize", ...this.size }));
  }

  private become(state: LineState) {
    this.state = state;
    this.hooks.onState(state);
  }
}

const encoder = new TextEncoder();
