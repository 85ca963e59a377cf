// What passes over `WS /ws/terminal` besides the bytes of the shell: small JSON texts.

export type Control =
  /** The first word of every connection: which shell this is, and how many bytes of its past follow before it is live. */
  | { type: "session"; id: string; replay: number }
  | { type: "exit"; code: number | undefined };

/** Reads a control message; one that this desktop does not know is none. */
export function readControl(text: string): Control | undefined {
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof message !== "object" || message === null) return undefined;
  const { type, id, replay, code } = message as Record<string, unknown>;
  if (type === "session" && typeof id === "string") return { type, id, replay: typeof replay === "number" ? replay : 0 };
  if (type === "exit") return { type, code: typeof code === "number" ? code : undefined };
  return undefined;
}

/** Where the terminal's socket is, seen from the page. */
export function socketUrl(page: string, session: string | undefined): string {
  const url = new URL("/ws/terminal", page);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  if (session) url.searchParams.set("session", session);
  return url.href;
}
