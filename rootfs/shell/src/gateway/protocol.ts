// What passes over `WS /ws`. The shapes are those of `api/types/src/kernel.rs`; `docs/api-computer.md` says what they mean.

export interface ToolUse {
  id: string;
  tool: string;
  /** What it does, for people. */
  label: string;
  /** Absent while it runs. */
  ok?: boolean;
}

export interface ChatMessage {
  id: string;
  /** Milliseconds since 1970. */
  at: number;
  role: "user" | "assistant" | "note";
  text: string;
  /** Who says it, if it is not the owner at a desktop. */
  from?: { channel: string; id: string; name?: string };
  tools?: ToolUse[];
  /** For a note: why the message before it was not answered, as a code of the contract. */
  code?: string;
}

export interface FileChange {
  path: string;
  change: "written" | "removed";
}

export interface Usage {
  input: number;
  output: number;
  cacheRead: number;
  cacheWrite: number;
}

export type Event =
  | { type: "kernel:message"; sessionId: string; message: ChatMessage; requestId?: string; waiting: number }
  | { type: "kernel:init"; sessionId: string; turnId: string; messageId: string; model: string; budget?: string }
  | { type: "kernel:text"; sessionId: string; turnId: string; text: string }
  | { type: "kernel:tool_start"; sessionId: string; turnId: string; toolId: string; tool: string; label: string }
  | { type: "kernel:tool_end"; sessionId: string; turnId: string; toolId: string; tool: string; ok: boolean; summary: string; took: number }
  | { type: "kernel:result"; sessionId: string; turnId: string; text: string; reason: "done" | "cancelled" | "limit"; usage: Usage; took: number }
  | { type: "kernel:error"; sessionId?: string; turnId?: string; requestId?: string; code: string; message: string }
  | { type: "file:change"; changes: FileChange[]; more?: boolean }
  | { type: "session:switched"; sessionId: string; messages: ChatMessage[]; more: boolean; running?: { turnId: string; text: string }; waiting: number }
  | { type: "session:changed"; sessionId: string }
  | { type: "approval:request"; id: string; sessionId: string; tool: string; label: string; why: string; within: number }
  | { type: "approval:settled"; id: string; approved: boolean }
  | { type: "app:open"; name: string }
  | { type: "resync" };

/** A message of the owner's that the computer has yet to confirm. */
export interface Said {
  type: "message";
  text: string;
  sessionId: string;
  /** Heard twice, it is answered once. */
  requestId: string;
}

export type ClientMessage =
  | Said
  | { type: "switch_session"; sessionId: string }
  | { type: "approval_response"; id: string; approved: boolean }
  | { type: "cancel"; sessionId: string };

/** Reads an event; what is none is nothing. The gateway is trusted with the shape of those it names. */
export function readEvent(text: string): Event | undefined {
  try {
    const event = JSON.parse(text) as Event | null;
    return typeof event === "object" && typeof event?.type === "string" ? event : undefined;
  } catch {
    return undefined;
  }
}

/** Where the socket is, seen from the page. */
export function liveUrl(page: string): string {
  const url = new URL("/ws", page);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}
