// The bridge: what the frames of apps may ask of the desktop. Which app asks is known by the frame that a message comes from;
// nothing in a message says so, and a message of any other window is nothing.
import { GatewayError } from "../../gateway/http.ts";

/** What is used of a frame's window; tests pass another. */
export type Frame = Pick<Window, "postMessage">;

/** One app in its frame. */
export interface Guest {
  app: string;
  frame: Frame;
  theme: () => "dark" | "light";
  onCrash: (crash: Crash) => void;
  onNavigate: (app: string) => void;
  onPalette: () => void;
  /** One of the desktop's keys for windows was pressed in the frame, or so it says. */
  onWindowKey: (key: string) => void;
}

/** What an app says of its own crash: its words, not ours. */
export interface Crash {
  error: string;
  line: number;
}

/** The gateway, for apps. */
export interface Services {
  readData: (app: string, key: string) => Promise<unknown>;
  writeData: (app: string, key: string, value: unknown) => Promise<unknown>;
  generate: (app: string, prompt: string) => Promise<unknown>;
}

/** Calls of one frame that are under way at once; more are refused. */
export const MOST_CALLS = 32;
const LONGEST_ERROR = 500;
/** No app can press more of the desktop's keys than these, which move, put away and close its own window, or leave it. */
const WINDOW_KEY = /^(arrow(left|right|up|down)|[mwnd])$/;
const APP_NAME = /^[a-z0-9]+(-[a-z0-9]+)*$/;

type Message = Record<string, unknown>;

export class Bridge {
  private readonly guests = new Set<Guest>();
  private readonly calls = new WeakMap<Guest, number>();

  constructor(private readonly services: Services) {}

  /** Lets an app in; returns how to let it go. */
  admit(guest: Guest): () => void {
    this.guests.add(guest);
    return () => this.guests.delete(guest);
  }

  /** Takes a message of some window. */
  hear({ source, data }: Pick<MessageEvent, "source" | "data">) {
    const guest = source && [...this.guests].find(({ frame }) => frame === source);
    if (!guest || typeof data !== "object" || data === null) return;
    const message = data as Message;
    if (message.matrixos !== 1 || typeof message.action !== "string") return;
    if (typeof message.id === "number" && Number.isSafeInteger(message.id)) void this.call(guest, message.id, message);
    else told(guest, message);
  }

  tellTheme() {
    this.guests.forEach(tellTheme);
  }

  private async call(guest: Guest, id: number, message: Message) {
    const under = this.calls.get(guest) ?? 0;
    if (under >= MOST_CALLS) return reply(guest, { id, ok: false, error: `At most ${MOST_CALLS} calls at a time.` });
    this.calls.set(guest, under + 1);
    const answer = await this.done(guest, message).then(
      (value) => ({ id, ok: true, value: value ?? null }),
      (error: unknown) => ({ id, ok: false, error: wordsFor(error) }),
    );
    this.calls.set(guest, (this.calls.get(guest) ?? 1) - 1);
    // It may have gone while it waited.
    if (this.guests.has(guest)) reply(guest, answer);
  }

  private async done({ app, onNavigate }: Guest, { action, key, value, prompt, app: wanted }: Message): Promise<unknown> {
    switch (action) {
      case "readData":
        return this.services.readData(app, textOf(key, "key"));
      case "writeData":
        return this.services.writeData(app, textOf(key, "key"), value ?? null);
      case "generate":
        return this.services.generate(app, textOf(prompt, "prompt"));
      case "navigate":
        return onNavigate(appName(wanted));
      default:
        throw new Refused(`There is no “${String(action).slice(0, 40)}”.`);
    }
  }
}

class Refused extends Error {}

function textOf(value: unknown, what: string): string {
  if (typeof value !== "string" || !value) throw new Refused(`A ${what} is needed.`);
  return value;
}

function appName(value: unknown): string {
  if (typeof value !== "string" || value.length > 60 || !APP_NAME.test(value)) throw new Refused("That is not the name of an app.");
  return value;
}

function told(guest: Guest, { action, error, line, key }: Message) {
  if (action === "ready") tellTheme(guest);
  else if (action === "window") {
    const pressed = typeof key === "string" ? key.toLowerCase() : "";
    if (WINDOW_KEY.test(pressed)) guest.onWindowKey(pressed);
  }
  else if (action === "palette") guest.onPalette();
  else if (action === "crashed") {
    guest.onCrash({ error: String(error ?? "").slice(0, LONGEST_ERROR), line: typeof line === "number" && Number.isFinite(line) ? line : 0 });
  }
}

function tellTheme(guest: Guest) {
  reply(guest, { event: "theme", theme: guest.theme() });
}

/** A frame of a null origin has no other address than `*`; only that frame hears it. */
function reply({ frame }: Guest, message: Message) {
  frame.postMessage({ matrixos: 1, ...message }, "*");
}

function wordsFor(error: unknown): string {
  return error instanceof GatewayError || error instanceof Refused ? error.message : "That did not work.";
}
