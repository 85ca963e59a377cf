// The conversation that is open, as it is seen: what happened and what was said go in, what is to be shown comes out. Pure.
import type { ChatMessage, Event, Said, ToolUse } from "../../gateway/protocol.ts";

/** A use of a tool; what was returned is only known to a page that saw it. */
export interface ToolShown extends ToolUse {
  summary?: string;
  /** Milliseconds. */
  took?: number;
}

export interface Shown extends ChatMessage {
  tools?: ToolShown[];
  /** A step of the turn that runs. */
  turnId?: string;
}

/** Something of the owner's that is not confirmed, or was refused. */
export interface Sending extends Said {
  refused?: { code: string; message: string };
}

export interface Conversation {
  id: string;
  /** False until the computer has told what was said. */
  known: boolean;
  /** It cannot be shown, and why. */
  problem?: string;
  messages: Shown[];
  /** There are older ones. */
  more: boolean;
  sending: Sending[];
  /** Messages that wait for their answer, by their ids. */
  queue: string[];
  running?: { turnId: string; /** It was joined in its course: what was streamed may overlap with what was told. */ joined: boolean };
}

export type Change =
  | { type: "event"; event: Event; now: number }
  | { type: "say"; said: Said }
  | { type: "take_back"; requestId: string }
  | { type: "older"; messages: ChatMessage[]; more: boolean };

export const begun = (id: string, unconfirmed: Said[] = []): Conversation => ({
  id,
  known: false,
  messages: [],
  more: false,
  sending: unconfirmed.filter((said) => said.sessionId === id),
  queue: [],
});

/** Something is being answered, or waits for it. */
export const isBusy = ({ running, queue }: Conversation) => running !== undefined || queue.length > 0;

/** How many are answered before this message; nothing once its turn has begun. */
export function before({ queue, running }: Conversation, id: string): number | undefined {
  const place = queue.indexOf(id);
  const ahead = place + (running ? 1 : 0);
  return place === -1 || ahead === 0 ? undefined : ahead;
}

export function reduce(state: Conversation, change: Change): Conversation {
  switch (change.type) {
    case "event":
      return "sessionId" in change.event && change.event.sessionId === state.id ? happened(state, change.event, change.now) : state;
    case "say":
      return { ...state, sending: [...state.sending.filter((s) => s.requestId !== change.said.requestId), change.said] };
    case "take_back":
      return { ...state, sending: state.sending.filter((s) => s.requestId !== change.requestId) };
    case "older":
      return { ...state, messages: joined(change.messages, state.messages), more: change.more };
  }
}

function happened(state: Conversation, event: Event, now: number): Conversation {
  switch (event.type) {
    case "session:switched":
      return switched(state, event);
    case "kernel:message":
      return takenIn(state, event);
    case "kernel:init":
      return { ...state, queue: state.queue.filter((id) => id !== event.messageId), running: { turnId: event.turnId, joined: false } };
    case "kernel:text":
      return { ...state, messages: beforeQueue(state, (messages) => withText(messages, event, now)) };
    case "kernel:tool_start":
      return { ...state, messages: beforeQueue(state, (messages) => withTool(messages, event, now)) };
    case "kernel:tool_end":
      return { ...state, messages: state.messages.map((message) => toolEnded(message, event)) };
    case "kernel:result":
      return ended(state, event.turnId, noteOf(event, now));
    case "kernel:error":
      return failed(state, event, now);
    default:
      return state;
  }
}

/** What waits for its answer stands below the answer that is being given. */
function beforeQueue({ messages, queue }: Pick<Conversation, "messages" | "queue">, change: (messages: Shown[]) => Shown[]): Shown[] {
  const waits = ({ id }: Shown) => queue.includes(id);
  return [...change(messages.filter((message) => !waits(message))), ...messages.filter(waits)];
}

type Of<T extends Event["type"]> = Extract<Event, { type: T }>;

function switched(state: Conversation, { messages, more, running, waiting }: Of<"session:switched">): Conversation {
  const asked = messages.filter((message) => message.role === "user");
  const queue = waiting > 0 ? asked.slice(-waiting).map((message) => message.id) : [];
  const said = running?.text ? [live(running.turnId, 0, Date.now(), running.text)] : [];
  const shown = beforeQueue({ messages, queue }, (settled) => [...settled, ...said]);
  const next: Conversation = { id: state.id, known: true, messages: shown, more, sending: state.sending, queue };
  return running ? { ...next, running: { turnId: running.turnId, joined: true } } : next;
}

function takenIn(state: Conversation, { message, requestId }: Of<"kernel:message">): Conversation {
  const sending = state.sending.filter((said) => said.requestId !== requestId);
  // Said again after a loss, and heard before: the computer has told of it already.
  if (state.messages.some(({ id }) => id === message.id)) return { ...state, sending };
  return { ...state, sending, messages: [...state.messages, message], queue: [...state.queue, message.id] };
}

function live(turnId: string, nth: number, at: number, text: string): Shown {
  return { id: `${turnId}:${nth}`, at, role: "assistant", text, turnId };
}

/** The step of this turn that is still being said. After tools a new one begins. */
function openStep(messages: Shown[], turnId: string): Shown | undefined {
  const last = messages.at(-1);
  return last?.turnId === turnId && !last.tools ? last : undefined;
}

const stepsOf = (messages: Shown[], turnId: string) => messages.filter((message) => message.turnId === turnId).length;

function withText(messages: Shown[], { turnId, text }: Of<"kernel:text">, now: number): Shown[] {
  const step = openStep(messages, turnId);
  if (step) return [...messages.slice(0, -1), { ...step, text: step.text + text }];
  return [...messages, live(turnId, stepsOf(messages, turnId), now, text)];
}

function withTool(messages: Shown[], { turnId, toolId, tool, label }: Of<"kernel:tool_start">, now: number): Shown[] {
  if (messages.some((message) => message.tools?.some(({ id }) => id === toolId))) return messages;
  const last = messages.at(-1);
  const used: ToolShown = { id: toolId, tool, label };
  if (last?.turnId === turnId) return [...messages.slice(0, -1), { ...last, tools: [...(last.tools ?? []), used] }];
  return [...messages, { ...live(turnId, stepsOf(messages, turnId), now, ""), tools: [used] }];
}

function toolEnded(message: Shown, { toolId, ok, summary, took }: Of<"kernel:tool_end">): Shown {
  if (!message.tools?.some(({ id }) => id === toolId)) return message;
  return { ...message, tools: message.tools.map((tool) => (tool.id === toolId ? { ...tool, ok, summary, took } : tool)) };
}

function noteOf({ turnId, reason }: Of<"kernel:result">, now: number): Shown | undefined {
  if (reason === "done") return undefined;
  const text = reason === "cancelled" ? "Stopped." : "Your AI stopped here: this turn was getting too long. Say “go on” to continue.";
  return { id: `${turnId}:note`, at: now, role: "note", text };
}

function failed(state: Conversation, { turnId, requestId, code, message }: Of<"kernel:error">, now: number): Conversation {
  if (turnId) return ended(state, turnId, { id: `${turnId}:note`, at: now, role: "note", text: message, code });
  if (!requestId) return state.known ? state : { ...state, known: true, problem: message };
  const refused = { code, message };
  return { ...state, sending: state.sending.map((said) => (said.requestId === requestId ? { ...said, refused } : said)) };
}

/** A turn that ends without having begun was that of the message that waited longest. */
function ended(state: Conversation, turnId: string, note: Shown | undefined): Conversation {
  const began = state.running?.turnId === turnId;
  const queue = began ? state.queue : state.queue.slice(1);
  const steps = state.messages.map((message) => (message.turnId === turnId ? closed(message) : message));
  const messages = beforeQueue({ messages: steps, queue }, (settled) => (note ? [...settled, note] : settled));
  const { running, ...rest } = state;
  const next = { ...rest, queue, messages };
  return began || !running ? next : { ...next, running };
}

function closed({ turnId: _, ...message }: Shown): Shown {
  // A tool that was stopped has not done what it was asked to.
  return message.tools ? { ...message, tools: message.tools.map((tool) => ({ ...tool, ok: tool.ok ?? false })) } : message;
}

function joined(older: ChatMessage[], newer: Shown[]): Shown[] {
  const known = new Set(newer.map(({ id }) => id));
  return [...older.filter(({ id }) => !known.has(id)), ...newer];
}
