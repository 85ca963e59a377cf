// Keeps: every failed call becomes a problem with a text for people.
import { afterEach, expect, test, vi } from "vitest";
import { call } from "./http.ts";
import { Problem } from "./problem.ts";

afterEach(() => void vi.unstubAllGlobals());

const answers = (status: number, body: BodyInit | null, headers?: HeadersInit) => vi.stubGlobal("fetch", async () => new Response(body, { status, headers }));
const refuses = (error: unknown) => vi.stubGlobal("fetch", () => Promise.reject(error));
const problem = () => call("/api/me").then(() => expect.fail("it succeeded"), (error: unknown) => error as Problem);

test("the platform's own words and suggestions reach the person", async () => {
  answers(409, JSON.stringify({ error: { code: "handle_taken", message: "Try hamed-os.", suggestions: ["hamed-os"] } }));
  expect(await problem()).toMatchObject({ code: "handle_taken", message: "Try hamed-os.", suggestions: ["hamed-os"] });
});

test("a limit says when to come back", async () => {
  answers(429, JSON.stringify({ error: { code: "too_many_requests", message: "x" } }), { "retry-after": "30" });
  expect((await problem()).message).toContain("in 30 s");
  answers(503, "", { "retry-after": "120" });
  expect(await problem()).toMatchObject({ code: "busy", message: expect.stringContaining("in 2 min") });
  answers(429, "");
  expect((await problem()).message).toContain("in a minute");
});

test("an answer that is no JSON is a problem with a text, not a crash", async () => {
  answers(502, "<html>Bad gateway</html>");
  expect(await problem()).toMatchObject({ code: "internal" });
  answers(200, "<html>");
  expect(await problem()).toMatchObject({ code: "internal" });
  answers(401, null);
  expect(await problem()).toMatchObject({ code: "not_signed_in" });
});

test("offline, no answer and stopped by ourselves are told apart", async () => {
  refuses(new TypeError("Failed to fetch"));
  expect(await problem()).toMatchObject({ code: "no_answer" });
  vi.stubGlobal("navigator", { onLine: false });
  expect(await problem()).toMatchObject({ code: "offline" });
  refuses(new DOMException("", "TimeoutError"));
  expect(await problem()).toMatchObject({ code: "no_answer" });
  refuses(new DOMException("", "AbortError"));
  expect(await problem()).toMatchObject({ code: "aborted" });
});

test("204 is an answer", async () => {
  answers(204, null);
  expect(await call("/api/logout", { method: "POST" })).toBeUndefined();
});
