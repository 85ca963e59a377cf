import { describe, expect, it } from "vitest";
import type { ChatMessage, Event } from "../../gateway/protocol.ts";
import { before, begun, isBusy, reduce, type Conversation } from "./conversation.ts";

const S = "s1";
const user = (id: string, text = id): ChatMessage => ({ id, at: 1, role: "user", text });
const heard = (id: string, waiting = 0, requestId?: string): Event => ({
  type: "kernel:message",
  sessionId: S,
  message: user(id),
  waiting,
  ...(requestId ? { requestId } : {}),
});
const init = (turnId: string, messageId: string): Event => ({ type: "kernel:init", sessionId: S, turnId, messageId, model: "m" });
const text = (turnId: string, words: string): Event => ({ type: "kernel:text", sessionId: S, turnId, text: words });
const tool = (turnId: string, toolId: string): Event => ({ type: "kernel:tool_start", sessionId: S, turnId, toolId, tool: "read_file", label: "Reading" });
const toolEnd = (turnId: string, toolId: string, ok = true): Event => ({
  type: "kernel:tool_end",
  sessionId: S,
  turnId,
  toolId,
  tool: "read_file",
  ok,
  summary: "42",
  took: 7,
});
const result = (turnId: string, reason: "done" | "cancelled" | "limit" = "done"): Event => ({
  type: "kernel:result",
  sessionId: S,
  turnId,
  text: "",
  reason,
  usage: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 },
  took: 1,
});
const switched = (messages: ChatMessage[], rest: object = {}): Event => ({
  type: "session:switched",
  sessionId: S,
  messages,
  more: false,
  waiting: 0,
  ...rest,
});
const after = (events: Event[], from: Conversation = begun(S)) => events.reduce((state, event) => reduce(state, { type: "event", event, now: 5 }), from);
const said = ({ messages }: Conversation) => messages.map((m) => `${m.role}:${m.text}`);

describe("a conversation", () => {
  it("streams an answer into one passage, and begins a new one after tools", () => {
    const state = after([
      switched([]),
      heard("u1"),
      init("t1", "u1"),
      text("t1", "Let me "),
      text("t1", "look."),
      tool("t1", "x"),
      tool("t1", "y"),
      toolEnd("t1", "y", false),
      toolEnd("t1", "x"),
      text("t1", "Done."),
    ]);
    expect(said(state)).toEqual(["user:u1", "assistant:Let me look.", "assistant:Done."]);
    expect(state.messages[1]!.tools).toMatchObject([
      { id: "x", ok: true, summary: "42", took: 7 },
      { id: "y", ok: false },
    ]);
    expect(isBusy(state)).toBe(true);
    const over = after([result("t1")], state);
    expect(isBusy(over)).toBe(false);
    expect(new Set(over.messages.map((m) => m.id)).size).toBe(3);
  });

  it("shows tools that come before any word, and counts those that were stopped as failed", () => {
    const state = after([switched([]), heard("u1"), init("t1", "u1"), tool("t1", "x"), result("t1", "cancelled")]);
    expect(state.messages[1]).toMatchObject({ role: "assistant", text: "", tools: [{ id: "x", ok: false }] });
    expect(state.messages[2]).toMatchObject({ role: "note", text: "Stopped." });
  });

  it("says how many wait before a message, until its turn comes", () => {
    const state = after([switched([]), heard("u1"), init("t1", "u1"), heard("u2", 1), heard("u3", 2), text("t1", "Hm.")]);
    expect(said(state)).toEqual(["user:u1", "assistant:Hm.", "user:u2", "user:u3"]);
    expect([before(state, "u1"), before(state, "u2"), before(state, "u3")]).toEqual([undefined, 1, 2]);
    const later = after([result("t1"), init("t2", "u2")], state);
    expect([before(later, "u2"), before(later, "u3")]).toEqual([undefined, 1]);
    // Stopped: what waited ends without having begun.
    const stopped = after([result("t2", "cancelled"), result("t3", "cancelled")], later);
    expect(isBusy(stopped)).toBe(false);
  });

  it("holds what was said until it is confirmed, and gives back what was refused", () => {
    const one = { type: "message" as const, text: "hello", sessionId: S, requestId: "r1" };
    const saying = reduce(after([switched([])]), { type: "say", said: one });
    expect(saying.sending).toHaveLength(1);
    expect(after([heard("u1", 0, "r1")], saying).sending).toEqual([]);
    const refused = after([{ type: "kernel:error", sessionId: S, requestId: "r1", code: "queue_full", message: "Full." }], saying);
    expect(refused.sending[0]!.refused).toEqual({ code: "queue_full", message: "Full." });
    expect(isBusy(refused)).toBe(false);
  });

  it("shows a message once that was said again after a loss", () => {
    const state = after([switched([]), heard("u1", 0, "r1"), switched([user("u1")]), heard("u1", 0, "r1")]);
    expect(said(state)).toEqual(["user:u1"]);
  });

  it("joins a turn in its course, without saying a tool twice", () => {
    const step: ChatMessage = { id: "a1", at: 2, role: "assistant", text: "Look.", tools: [{ id: "x", tool: "read_file", label: "Reading" }] };
    const state = after([switched([user("u1"), step, user("u2")], { running: { turnId: "t1", text: "Half a " }, waiting: 1 }), text("t1", "word")]);
    expect(said(state)).toEqual(["user:u1", "assistant:Look.", "assistant:Half a word", "user:u2"]);
    expect(before(state, "u2")).toBe(1);
    const more = after([tool("t1", "x"), toolEnd("t1", "x")], state);
    expect(more.messages[1]!.tools).toMatchObject([{ id: "x", ok: true }]);
  });

  it("tells why a turn failed, with its code, and is free again", () => {
    const state = after([switched([]), heard("u1"), { type: "kernel:error", sessionId: S, turnId: "t1", code: "no_key", message: "No key." }]);
    expect(state.messages.at(-1)).toMatchObject({ role: "note", text: "No key.", code: "no_key" });
    expect(isBusy(state)).toBe(false);
    // A page that is loaded anew hears it from the computer.
    const again = after([switched([user("u1"), { id: "n", at: 9, role: "note", text: "No key.", code: "no_key" }, { id: "o", at: 9, role: "note", text: "Stopped." }])]);
    expect(again.messages.map(({ code }) => code)).toEqual([undefined, "no_key", undefined]);
  });

  it("puts older messages before the others, each once", () => {
    const state = after([switched([user("u3")], { more: true })]);
    const older = reduce(state, { type: "older", messages: [user("u1"), user("u2"), user("u3")], more: false });
    expect(older.messages.map((m) => m.id)).toEqual(["u1", "u2", "u3"]);
    expect(older.more).toBe(false);
  });

  it("does not hear what is said in another one", () => {
    const state = after([switched([])]);
    expect(after([{ ...heard("x"), sessionId: "s2" } as Event], state)).toBe(state);
  });
});
