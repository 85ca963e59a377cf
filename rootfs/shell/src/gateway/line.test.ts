import { beforeEach, describe, expect, it } from "vitest";
import { CONFIRMED_WITHIN_MS, Line, type Socket } from "./line.ts";
import type { Event, Said } from "./protocol.ts";

class FakeSocket implements Socket {
  onopen: Socket["onopen"] = null;
  onmessage: Socket["onmessage"] = null;
  onclose: Socket["onclose"] = null;
  sent: Record<string, unknown>[] = [];
  closed = false;

  send(data: unknown) {
    this.sent.push(JSON.parse(String(data)) as Record<string, unknown>);
  }
  close() {
    this.closed = true;
  }
  opens() {
    this.onopen?.call(this as never, new globalThis.Event("open"));
  }
  says(data: unknown) {
    this.onmessage?.call(this as never, { data: typeof data === "string" ? data : JSON.stringify(data) } as MessageEvent);
  }
  drops() {
    this.onclose?.call(this as never, {} as CloseEvent);
  }
}

let sockets: FakeSocket[];
let timers: { run: () => void; ms: number }[];
let tries: { run: () => void; ms: number }[];
let events: Event[];
let kept: Said[];
let losses: number;

const last = () => sockets.at(-1)!;
const waitIn = (list: () => typeof timers, drop: (entry: (typeof timers)[number]) => void) => (run: () => void, ms: number) => {
  const entry = { run, ms };
  list().push(entry);
  return () => drop(entry);
};

function line(unconfirmed: Said[] = []) {
  return new Line(
    {
      open: () => {
        sockets.push(new FakeSocket());
        return last();
      },
      later: waitIn(() => timers, (entry) => (timers = timers.filter((t) => t !== entry))),
      again: waitIn(() => tries, (entry) => (tries = tries.filter((t) => t !== entry))),
    },
    {
      onEvent: (event) => void events.push(event),
      onOpen: () => undefined,
      onLost: () => void (losses += 1),
      onUnconfirmed: (said) => void (kept = said),
    },
    unconfirmed,
  );
}

const said = (requestId: string, text = "hello"): Said => ({ type: "message", text, sessionId: "s1", requestId });
const confirmed = (requestId: string) => ({
  type: "kernel:message",
  sessionId: "s1",
  requestId,
  waiting: 0,
  message: { id: "m", at: 1, role: "user", text: "hello" },
});

beforeEach(() => {
  sockets = [];
  timers = [];
  tries = [];
  events = [];
  kept = [];
  losses = 0;
});

describe("the line to the computer", () => {
  it("goes back to its conversation after a loss, and says again what was not confirmed, in order", () => {
    const desk = line();
    last().opens();
    desk.switchTo("s1");
    desk.say(said("r1"));
    desk.say(said("r2"));
    last().says(confirmed("r1"));
    last().drops();
    expect(losses).toBe(1);
    desk.say(said("r3"));
    tries.shift()!.run();
    expect(last().sent).toEqual([]);
    last().opens();
    expect(last().sent).toEqual([{ type: "switch_session", sessionId: "s1" }, said("r2"), said("r3")]);
    expect(kept.map((one) => one.requestId)).toEqual(["r2", "r3"]);
  });

  it("says after a reload what the page before it could not", () => {
    line([said("r0")]);
    last().opens();
    expect(last().sent).toEqual([said("r0")]);
    last().says(confirmed("r0"));
    expect(kept).toEqual([]);
  });

  it("does not say again what was refused, but keeps what only its turn failed", () => {
    const desk = line();
    last().opens();
    desk.say(said("r1"));
    last().says({ type: "kernel:error", sessionId: "s1", turnId: "t1", code: "busy", message: "Busy." });
    expect(desk.unconfirmed()).toHaveLength(1);
    last().says({ type: "kernel:error", sessionId: "s1", requestId: "r1", code: "queue_full", message: "Full." });
    expect(desk.unconfirmed()).toEqual([]);
    expect(events).toHaveLength(2);
  });

  it("takes a line for dead that confirms nothing in time", () => {
    const desk = line();
    last().opens();
    desk.say(said("r1"));
    expect(timers.at(-1)!.ms).toBe(CONFIRMED_WITHIN_MS);
    const old = last();
    timers.at(-1)!.run();
    expect(old.closed).toBe(true);
    tries.shift()!.run();
    last().opens();
    expect(last().sent).toEqual([said("r1")]);
    old.says(confirmed("r1"));
    expect(desk.unconfirmed()).toHaveLength(1);
  });

  it("reads its conversation anew when it has missed events", () => {
    const desk = line();
    last().opens();
    desk.switchTo("s1");
    last().says({ type: "resync" });
    expect(last().sent).toEqual([
      { type: "switch_session", sessionId: "s1" },
      { type: "switch_session", sessionId: "s1" },
    ]);
  });

  it("does not wait once the computer is known to be back", () => {
    const desk = line();
    last().opens();
    last().drops();
    desk.retryNow();
    desk.retryNow();
    expect(sockets).toHaveLength(2);
    expect(tries).toEqual([]);
  });

  it("waits longer after every failure, also while the computer is there and refuses only the line", () => {
    const desk = line();
    const waits = [];
    for (let i = 0; i < 8; i++) {
      last().drops();
      waits.push(tries[0]!.ms);
      tries.shift()!.run();
    }
    expect(waits[0]).toBeLessThanOrEqual(250);
    expect(waits.at(-1)).toBeGreaterThan(5_000);
    last().drops();
    const before = sockets.length;
    desk.retryNow();
    expect(sockets.length).toBe(before);
    expect(tries).toHaveLength(1);
  });

  it("is not disturbed by words it does not know", () => {
    line();
    last().opens();
    for (const junk of ["{", "null", "3", "[]", '{"type":7}']) last().says(junk);
    expect(events).toEqual([]);
  });
});
