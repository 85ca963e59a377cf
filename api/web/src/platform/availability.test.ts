// Keeps: what is said about a handle is always about the text in the field.
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type Availability, AvailabilityWatch, PAUSE_MS } from "./availability.ts";
import { Problem } from "./problem.ts";
import type { HandleAnswer } from "./wire.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A platform that answers when told to, and remembers what it was asked. */
class Platform {
  asked: { text: string; signal: AbortSignal; answer: (answer: HandleAnswer) => void; fail: (error: unknown) => void }[] = [];
  said: Availability[] = [];
  watch = new AvailabilityWatch(
    (text, signal) => new Promise((answer, fail) => this.asked.push({ text, signal, answer, fail })),
    (availability) => this.said.push(availability),
  );

  async rest(ms = PAUSE_MS) {
    await vi.advanceTimersByTimeAsync(ms);
  }

  last = () => this.said.at(-1);
}

const free = (handle: string): HandleAnswer => ({ handle, available: true, suggestions: [] });

test("the platform is asked once the keys rest, about the last text only", async () => {
  const platform = new Platform();
  for (const text of ["h", "ha", "ham"]) {
    platform.watch.typed(text);
    await platform.rest(PAUSE_MS - 1);
  }
  expect(platform.asked).toEqual([]);
  await platform.rest();
  expect(platform.asked.map(({ text }) => text)).toEqual(["ham"]);
  expect(platform.last()).toEqual({ is: "asking" });
});

test("an answer about an earlier text is never shown, even when it comes last", async () => {
  const platform = new Platform();
  platform.watch.typed("alice");
  await platform.rest();
  platform.watch.typed("alice2");
  await platform.rest();
  const [first, second] = platform.asked;
  expect(first?.signal.aborted).toBe(true);
  second?.answer(free("alice2"));
  first?.answer({ handle: "alice", available: false, message: "no", suggestions: [] });
  await platform.rest();
  expect(platform.last()).toEqual({ is: "free" });
});

test("a refusal carries the platform's reason and its suggestions", async () => {
  const platform = new Platform();
  platform.watch.typed("hamed");
  await platform.rest();
  platform.asked[0]?.answer({ handle: "hamed", available: false, message: "Not available.", suggestions: ["hamed-os"] });
  await platform.rest();
  expect(platform.last()).toEqual({ is: "refused", why: "Not available.", suggestions: ["hamed-os"] });
});

test("an emptied field asks nothing, and a failed question says why", async () => {
  const platform = new Platform();
  platform.watch.typed("hamed");
  platform.watch.typed("");
  await platform.rest();
  expect(platform.asked).toEqual([]);
  expect(platform.last()).toEqual({ is: "empty" });
  platform.watch.typed("hamed");
  await platform.rest();
  platform.asked[0]?.fail(new Problem("no_answer", "The platform did not answer."));
  await platform.rest();
  expect(platform.last()).toEqual({ is: "unknown", why: "The platform did not answer." });
});
