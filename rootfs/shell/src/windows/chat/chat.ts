// The one chat of this page. It goes on while its window is closed, so it is kept here and not in a component.
import { useSyncExternalStore } from "react";
import { newConversation, page } from "../../gateway/conversations.ts";
import { used } from "../../gateway/link.ts";
import { currentLine, goTo, onEvent, onOpen } from "../../gateway/live.ts";
import type { Event } from "../../gateway/protocol.ts";
import { begun, reduce, type Change, type Conversation } from "./conversation.ts";

/** The AI asks whether it may. */
export interface Approval {
  id: string;
  sessionId: string;
  label: string;
  why: string;
  /** When silence becomes a no, by this page's clock. */
  until: number;
}

export interface Chat {
  conversation: Conversation | undefined;
  approvals: Approval[];
}

/** Older messages that are read at a time. */
const OLDER = 50;

let chat: Chat = { conversation: undefined, approvals: [] };
const listeners = new Set<() => void>();

function become(next: Chat) {
  if (next === chat) return;
  chat = next;
  for (const listener of [...listeners]) listener();
}

function change(what: Change) {
  const { conversation } = chat;
  if (!conversation) return;
  const next = reduce(conversation, what);
  if (next !== conversation) become({ ...chat, conversation: next });
}

export function useChat(): Chat {
  return useSyncExternalStore(subscribe, () => chat);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Takes part in what happens, until the returned function is called. */
export function watchChat(): () => void {
  const forgetEvents = onEvent(happened);
  // Those that are still open are told again to a new line.
  const forgetOpenings = onOpen(() => become({ ...chat, approvals: [] }));
  return () => {
    forgetEvents();
    forgetOpenings();
  };
}

function happened(event: Event) {
  const { conversation } = chat;
  if (event.type === "approval:request") return ask(event);
  if (event.type === "approval:settled") return settle(event.id);
  change({ type: "event", event, now: Date.now() });
  // What was joined in its course may have been heard twice in part: read it as it was kept.
  const over = event.type === "kernel:result" && event.turnId === conversation?.running?.turnId;
  if (over && conversation?.running?.joined) goTo(conversation.id);
}

function ask({ id, sessionId, label, why, within }: Extract<Event, { type: "approval:request" }>) {
  const approval = { id, sessionId, label, why, until: Date.now() + within * 1_000 };
  become({ ...chat, approvals: [...chat.approvals.filter((other) => other.id !== id), approval] });
}

function settle(id: string) {
  become({ ...chat, approvals: chat.approvals.filter((approval) => approval.id !== id) });
}

export function openConversation(id: string) {
  if (chat.conversation?.id === id) return;
  become({ ...chat, conversation: begun(id, currentLine()?.unconfirmed()) });
  goTo(id);
}

/** Says something in the conversation that is open, or in a new one. */
export function say(text: string) {
  if (!chat.conversation) openConversation(newConversation());
  const sessionId = chat.conversation!.id;
  const said = { type: "message" as const, text, sessionId, requestId: newConversation() };
  change({ type: "say", said });
  currentLine()?.say(said);
  used();
}

/** Puts away something that was refused. */
export function takeBack(requestId: string) {
  currentLine()?.forget(requestId);
  change({ type: "take_back", requestId });
}

/** Stops the turn, and forgets what waits behind it; false if the computer cannot hear it now. */
export function stop(): boolean {
  const sessionId = chat.conversation?.id;
  return sessionId !== undefined && currentLine()?.send({ type: "cancel", sessionId }) === true;
}

/** Answers a question of the AI's; false if the computer cannot hear it now. */
export function answer(id: string, approved: boolean): boolean {
  const heard = currentLine()?.send({ type: "approval_response", id, approved }) === true;
  if (heard) settle(id);
  return heard;
}

/** Reads what was said before the first message that is shown. */
export async function readOlder(): Promise<void> {
  const { conversation } = chat;
  const first = conversation?.messages[0];
  if (!conversation?.more || !first) return;
  const { messages, more } = await page(conversation.id, first.id, OLDER);
  if (chat.conversation?.id === conversation.id) change({ type: "older", messages, more });
}
