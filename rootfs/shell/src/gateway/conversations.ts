// The conversations with the AI, as the gateway keeps them.
import { ask, askJson } from "./http.ts";
import type { ChatMessage } from "./protocol.ts";

export interface Summary {
  id: string;
  preview: string;
  messageCount: number;
  /** Milliseconds since 1970. */
  createdAt: number;
  updatedAt: number;
  /** It is held over a channel such as `telegram`, not at a desktop. */
  channel?: string;
}

export interface Hit {
  sessionId: string;
  message: ChatMessage;
}

export const conversations = (signal?: AbortSignal) => askJson<Summary[]>("/api/conversations", signal ? { signal } : {});

/** Messages before that one, oldest first; the newest without one. */
export function page(id: string, before: string | undefined, limit: number): Promise<{ messages: ChatMessage[]; more: boolean }> {
  const query = new URLSearchParams({ limit: String(limit), ...(before ? { before } : {}) });
  return askJson(`/api/conversations/${encodeURIComponent(id)}?${query}`);
}

export const search = (text: string, signal: AbortSignal) => askJson<Hit[]>(`/api/conversations/search?q=${encodeURIComponent(text)}`, { signal });
export const remove = (id: string) => ask(`/api/conversations/${encodeURIComponent(id)}`, { method: "DELETE" });

/** A name for a new conversation; it becomes a file with its first message. */
export function newConversation(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
