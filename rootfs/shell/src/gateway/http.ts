// One way to ask the gateway, and one kind of error that people can read. Same origin; the platform adds the bearer.
import { heard, lost } from "./link.ts";

/** Why a call failed: `offline` when nobody answered, `signed_out` when the session has ended, else the gateway's own code. */
export class GatewayError extends Error {
  readonly code: string;
  readonly status: number;

  constructor(code: string, message: string, status = 0) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

export const OFFLINE = "Your computer cannot be reached right now. It is tried again by itself.";
export const SIGNED_OUT = "You are signed out. Load the page again to sign in.";

const DEADLINE_MS = 20_000;

/** How to ask; `patience` is how long an answer may take, in milliseconds. */
export type Asking = RequestInit & { patience?: number };

/** Asks and returns the answer when it is a success; throws `GatewayError` otherwise. */
export async function ask(path: string, init: Asking = {}): Promise<Response> {
  const answer = await reach(path, init);
  if (answer.type === "opaqueredirect" || answer.status === 401) {
    lost("signed_out");
    throw new GatewayError("signed_out", SIGNED_OUT, 401);
  }
  if (answer.ok) {
    heard();
    return answer;
  }
  const error = errorFrom(answer.status, await answer.text());
  if (error.code === "asleep") lost("asleep");
  else if (answer.status === 502 || answer.status === 503) lost("unreachable");
  else heard();
  throw error;
}

async function reach(path: string, { patience = DEADLINE_MS, ...init }: Asking): Promise<Response> {
  const deadline = AbortSignal.timeout(patience);
  const signal = init.signal ? AbortSignal.any([init.signal, deadline]) : deadline;
  try {
    return await fetch(path, { redirect: "manual", cache: "no-store", ...init, signal });
  } catch (error) {
    if (init.signal?.aborted) throw error;
    lost("unreachable");
    throw new GatewayError("offline", OFFLINE);
  }
}

/** Reads the gateway's `{"error":{code,message}}`; anything else still becomes a readable sentence. */
export function errorFrom(status: number, body: string): GatewayError {
  try {
    const { error } = JSON.parse(body) as { error: { code: string; message: string } };
    if (typeof error.message === "string") return new GatewayError(error.code, error.message, status);
  } catch {
    // Not the gateway's own words: something between it and us has answered.
  }
  return new GatewayError("unexpected", plainReason(status), status);
}

function plainReason(status: number): string {
  if (status === 413) return "That is larger than this computer accepts.";
  if (status === 507) return "The disk is full. Delete something, then try again.";
  if (status === 503) return "Your computer is starting. Try again in a moment.";
  return `Your computer answered in an unexpected way (${status}). Try again.`;
}

export async function askJson<T>(path: string, init?: RequestInit): Promise<T> {
  return (await (await ask(path, init)).json()) as T;
}

export function sendJson(method: "POST" | "PUT", path: string, body: unknown, init: Asking = {}): Promise<Response> {
  return ask(path, { ...init, method, headers: { ...init.headers, "content-type": "application/json" }, body: JSON.stringify(body) });
}

/** A message fit for people, whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof GatewayError ? error.message : "Something unexpected happened. Try again.";
}
