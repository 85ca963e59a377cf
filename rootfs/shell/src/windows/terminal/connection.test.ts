import { beforeEach, describe, expect, it } from "vitest";
import { MOST_AT_ONCE, MOST_HELD, TerminalConnection, type LineState, type Socket } from "./connection.ts";

class FakeSocket implements Socket {
  binaryType: BinaryType = "blob";
  onopen: Socket["onopen"] = null;
  onmessage: Socket["onmessage"] = null;
  onclose: Socket["onclose"] = null;
  sent: (string | Uint8Array)[] = [];
  closed = false;

  send(data: unknown) {
    this.sent.push(data as string | Uint8Array);
  }
  close() {
    this.closed = true;
  }
  opens() {
    this.onopen?.call(this as never, new Event("open"));
  }
  says(data: unknown) {
    this.onmessage?.call(this as never, { data } as MessageEvent);
  }
  drops(code = 1006, reason = "") {
    this.onclose?.call(this as never, { code, reason } as CloseEvent);
  }
  /** What was typed into the shell over this line. */
  typed() {
    const bytes = this.sent.filter((data) => typeof data !== "string");
    return bytes.map((data) => new TextDecoder().decode(data)).join("");
  }
  control() {
    return this.sent.filter((data) => typeof data === "string").map((text) => JSON.parse(text) as unknown);
  }
}

let sockets: { socket: FakeSocket; session: string | undefined }[];
let waiting: { run: () => void; ms: number }[];
let states: LineState[];
let output: string;
let afresh: number;
let replaying: boolean[];
let sessions: string[];

const last = () => sockets.at(-1)!.socket;
const tick = () => waiting.shift()!.run();

function connection(session?: string) {
  const surroundings = {
    open: (of: string | undefined) => {
      const socket = new FakeSocket();
      sockets.push({ socket, session: of });
      return socket;
    },
    later: (run: () => void, ms: number) => {
      const entry = { run, ms };
      waiting.push(entry);
      return () => void (waiting = waiting.filter((w) => w !== entry));
    },
  };
  const hooks = {
    onOutput: (bytes: Uint8Array) => void (output += new TextDecoder().decode(bytes)),
    onAfresh: () => void (afresh += 1),
    onReplaying: (now: boolean) => void replaying.push(now),
    onSession: (id: string) => void sessions.push(id),
    onState: (state: LineState) => void states.push(state),
  };
  return new TerminalConnection(surroundings, hooks, session, { cols: 80, rows: 24 });
}

beforeEach(() => {
  sockets = [];
  waiting = [];
  states = [];
  output = "";
  afresh = 0;
  replaying = [];
  sessions = [];
});

describe("a terminal's line", () => {
  it("comes back to the same session after a drop, and clears the screen for the replay", () => {
    connection();
    last().opens();
    last().says('{"type":"session","id":"s1"}');
    last().says(new TextEncoder().encode("hello").buffer);
    last().drops();
    expect(states.at(-1)).toEqual({ at: "reconnecting", overflowed: false });
    tick();
    expect(sockets.map((s) => s.session)).toEqual([undefined, "s1"]);
    last().opens();
    expect(afresh).toBe(2);
    expect(output).toBe("hello");
    expect(states.at(-1)).toEqual({ at: "open" });
  });

  it("knows to the byte where the shell's past ends", () => {
    connection("s1");
    last().opens();
    last().says('{"type":"session","id":"s1","replay":6}');
    last().says(new Uint8Array(4).buffer);
    expect(replaying).toEqual([true]);
    last().says(new Uint8Array(2).buffer);
    last().says(new Uint8Array(9).buffer);
    expect(replaying).toEqual([true, false]);
  });

  it("sends a large paste whole, in pieces that the gateway takes", () => {
    const line = connection("s1");
    last().opens();
    const sizes = () => last().sent.filter((data) => typeof data !== "string").map((data) => data.length);
    line.type("é".repeat(150_000));
    expect(sizes().reduce((sum, size) => sum + size)).toBe(300_000);
    expect(Math.max(...sizes())).toBeLessThanOrEqual(MOST_AT_ONCE);
  });

  it("keeps what is typed while it is away and sends it once, in order, after the size", () => {
    const line = connection("s1");
    last().opens();
    last().drops();
    line.type("ls");
    line.type("\r");
    line.resize({ cols: 100, rows: 30 });
    tick();
    expect(last().sent).toEqual([]);
    last().opens();
    expect(last().control()).toEqual([{ type: "resize", cols: 100, rows: 30 }]);
    expect(last().typed()).toBe("ls\r");
    last().drops();
    tick();
    last().opens();
    expect(last().typed()).toBe("");
  });

  it("refuses to keep more than its bound, and says so until it is back", () => {
    const line = connection("s1");
    last().drops();
    line.type("x".repeat(MOST_HELD));
    line.type("y");
    expect(states.at(-1)).toEqual({ at: "reconnecting", overflowed: true });
    tick();
    last().drops();
    expect(states.at(-1)).toEqual({ at: "reconnecting", overflowed: true });
    tick();
    last().opens();
    expect(last().typed()).toBe("x".repeat(MOST_HELD));
  });

  it("waits longer after every failure, and not at all once the computer is known to be back", () => {
    const line = connection("s1");
    const waits = [];
    for (let i = 0; i < 8; i++) {
      last().drops();
      waits.push(waiting[0]!.ms);
      tick();
    }
    expect(waits[0]).toBeLessThanOrEqual(250);
    expect(waits.at(-1)).toBeGreaterThan(5_000);
    expect(Math.max(...waits)).toBeLessThanOrEqual(8_000);
    last().drops();
    const before = sockets.length;
    line.retryNow();
    expect(sockets.length).toBe(before + 1);
    expect(waiting).toEqual([]);
    line.retryNow();
    expect(sockets.length).toBe(before + 1);
  });

  it("does not come back by itself after the shell has ended, but to a new one when asked", () => {
    const line = connection("s1");
    last().opens();
    last().says('{"type":"exit","code":3}');
    last().drops(1000);
    expect(states.at(-1)).toEqual({ at: "ended", code: 3 });
    expect(waiting).toEqual([]);
    line.restart();
    expect(sockets.at(-1)!.session).toBeUndefined();
  });

  it("hears nothing more from a line it has let go of", () => {
    const line = connection("s1");
    const old = last();
    old.opens();
    line.dispose();
    expect(old.closed).toBe(true);
    old.says(new TextEncoder().encode("late").buffer);
    old.drops();
    expect(output).toBe("");
    expect(waiting).toEqual([]);
  });
});
