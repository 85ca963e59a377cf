// One way to call the platform: JSON both ways, same origin, a deadline, and every failure as a `Problem`.
import { Problem, problemOfAnswer } from "./problem.ts";

/** No call is waited for longer than this. */
const DEADLINE_MS = 20_000;

interface Call {
  method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  body?: unknown;
  signal?: AbortSignal;
}

/** Calls `path`. Throws a [`Problem`]; `aborted` when the caller's own signal ended it. */
export async function call<Answer>(path: string, { method = "GET", body, signal }: Call = {}): Promise<Answer> {
  const response = await send(path, {
    method,
    credentials: "same-origin",
    cache: "no-store",
    headers: body === undefined ? { accept: "application/json" } : { accept: "application/json", "content-type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
    signal: AbortSignal.any([AbortSignal.timeout(DEADLINE_MS), ...(signal ? [signal] : [])]),
  });
  const answer = await json(response);
  if (!response.ok) throw problemOfAnswer(response.status, answer, response.headers.get("retry-after"));
  return answer as Answer;
}

async function send(path: string, request: RequestInit): Promise<Response> {
  try {
    return await fetch(path, request);
  } catch (error) {
    throw problemOfSending(error);
  }
}

async function json(response: Response): Promise<unknown> {
  if (response.status === 204) return undefined;
  try {
    return await response.json();
  } catch (error) {
    if (!response.ok) return null;
    throw error instanceof SyntaxError ? new Problem("internal", "The platform's answer made no sense. Please try again in a minute.") : problemOfSending(error);
  }
}

function problemOfSending(error: unknown): Problem {
  const name = error instanceof Error ? error.name : "";
  if (name === "AbortError") return new Problem("aborted", "That was stopped.");
  if (name !== "TimeoutError" && globalThis.navigator?.onLine === false) {
    return new Problem("offline", "You are offline. Connect to the internet and try again; nothing you typed is lost.");
  }
  return new Problem("no_answer", "The platform did not answer. Check your connection and try again; nothing you typed is lost.");
}
