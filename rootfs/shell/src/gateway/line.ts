// The desktop's line to the computer. When it drops, this side connects again with back-off, goes back to its conversation,
// and says again what was not confirmed: the computer knows by the request's id what it has heard already.
import { backOff } from "./backoff.ts";
import { readEvent, type ClientMessage, type Event, type Said } from "./protocol.ts";

/** What is used of a WebSocket; tests pass another. */
export type Socket = Pick<WebSocket, "send" | "close" | "onopen" | "onmessage" | "onclose">;

export interface Surroundings {
  open: () => Socket;
  /** Runs something after so many milliseconds, unless the returned function is called before. */
  later: (run: () => void, ms: number) => () => void;
  /** The same for a try to connect, which may have to wait until the computer is known to be there. */
  again: (run: () => void, ms: number) => () => void;
}

export interface Hooks {
  onEvent: (event: Event) => void;
  /** The line is open; what happened while it was not, if it ever was, has been missed. */
  onOpen: () => void;
  onLost: () => void;
  /** What is to be confirmed has changed. */
  onUnconfirmed: (said: Said[]) => void;
}

/** A line that confirms nothing for so long is dead, whatever the browser believes. */
export const CONFIRMED_WITHIN_MS = 15_000;

/** Tries without a wait while the computer is there. */
const MOST_AT_ONCE = 2;

export class Line {
  private socket: Socket | undefined;
  private open = false;
  private failures = 0;
  private readonly said = new Map<string, Said>();
  private cancelRetry: (() => void) | undefined;
  private cancelWatch: (() => void) | undefined;

  constructor(
    private readonly surroundings: Surroundings,
    private readonly hooks: Hooks,
    unconfirmed: Said[] = [],
    private session: string | undefined = undefined,
  ) {
    for (const one of unconfirmed) this.said.set(one.requestId, one);
    this.connect();
  }

  /** Goes to a conversation, now and after every loss. */
  switchTo(sessionId: string) {
    this.session = sessionId;
    this.send({ type: "switch_session", sessionId });
  }

  /** Says something, again and again until it is confirmed. */
  say(said: Said) {
    this.said.set(said.requestId, said);
    this.hooks.onUnconfirmed(this.unconfirmed());
    if (this.send(said)) this.watch();
  }

  /** Takes back what was not confirmed. */
  forget(requestId: string) {
    if (this.said.delete(requestId)) this.hooks.onUnconfirmed(this.unconfirmed());
  }

  /** Sends what only counts now; false if there is no line. */
  send(message: ClientMessage): boolean {
    if (this.open) this.socket?.send(JSON.stringify(message));
    return this.open;
  }

  unconfirmed(): Said[] {
    return [...this.said.values()];
  }

  /** The computer is known to be back: do not wait any longer, unless it is there and refuses the line again and again. */
  retryNow() {
    if (!this.cancelRetry || this.failures > MOST_AT_ONCE) return;
    this.cancelRetry();
    this.connect();
  }

  /** Lets go of a line that may be dead, and takes another. */
  renew() {
    const socket = this.socket;
    if (!socket) return;
    socket.close();
    this.letGo();
  }

  dispose() {
    this.cancelRetry?.();
    this.cancelRetry = undefined;
    this.cancelWatch?.();
    const socket = this.socket;
    this.socket = undefined;
    this.open = false;
    socket?.close();
  }

  private connect() {
    this.cancelRetry = undefined;
    const socket = this.surroundings.open();
    socket.onopen = () => this.socket === socket && this.opened();
    socket.onmessage = ({ data }) => this.socket === socket && this.heard(String(data));
    socket.onclose = () => this.socket === socket && this.lost();
    this.socket = socket;
  }

  private opened() {
    this.failures = 0;
    this.open = true;
    this.hooks.onOpen();
    if (this.session) this.send({ type: "switch_session", sessionId: this.session });
    for (const one of this.said.values()) this.send(one);
    this.watch();
  }

  private heard(text: string) {
    const event = readEvent(text);
    if (!event) return;
    const turn = event.type === "kernel:error" && event.turnId !== undefined;
    if ((event.type === "kernel:message" || event.type === "kernel:error") && event.requestId && !turn) this.forget(event.requestId);
    this.hooks.onEvent(event);
    if (event.type === "resync" && this.session) this.switchTo(this.session);
  }

  private lost() {
    this.hooks.onLost();
    this.letGo();
  }

  private letGo() {
    this.socket = undefined;
    this.open = false;
    this.cancelWatch?.();
    this.cancelRetry = this.surroundings.again(() => this.connect(), backOff(this.failures++));
  }

  /** Whether the oldest of what was said is confirmed in time. */
  private watch() {
    this.cancelWatch?.();
    const [oldest] = this.said.keys();
    if (oldest === undefined) return;
    this.cancelWatch = this.surroundings.later(() => (this.said.has(oldest) ? this.renew() : this.watch()), CONFIRMED_WITHIN_MS);
  }
}
