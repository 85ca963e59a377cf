// Keeps: the browser's offer never grows stale, and never comes back after somebody else has ended it.
import { WebAuthnAbortService } from "@simplewebauthn/browser";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { RENEW_MS, keepOffering } from "./offer.ts";
import { Problem } from "./problem.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Ceremonies that wait until they are picked or ended, as a browser's do. */
class Browser {
  open: { pick: (passkey: string) => void; end: (error: unknown) => void }[] = [];
  attempt = () => new Promise<string>((pick, end) => this.open.push({ pick, end }));

  constructor() {
    vi.spyOn(WebAuthnAbortService, "cancelCeremony").mockImplementation(() => this.open.at(-1)?.end(new Problem("aborted", "Stopped.")));
  }
}

test("an offer is renewed before its challenge runs out, until one is picked", async () => {
  const browser = new Browser();
  const picked = keepOffering({ attempt: browser.attempt, signal: new AbortController().signal });
  await vi.advanceTimersByTimeAsync(RENEW_MS * 2);
  expect(browser.open.length).toBe(3);
  browser.open[2]?.pick("passkey");
  expect(await picked).toBe("passkey");
  expect(vi.getTimerCount()).toBe(0);
});

test("a page that has gone on is offered nothing more", async () => {
  const browser = new Browser();
  const stop = new AbortController();
  const picked = keepOffering({ attempt: browser.attempt, signal: stop.signal });
  stop.abort();
  await vi.advanceTimersByTimeAsync(RENEW_MS);
  expect(await picked).toBeUndefined();
  expect(browser.open.length).toBe(1);
});

test("an offer that another ceremony has ended is not made again by itself", async () => {
  const browser = new Browser();
  const picked = keepOffering({ attempt: browser.attempt, signal: new AbortController().signal });
  browser.open[0]?.end(new Problem("aborted", "The button was pressed."));
  await expect(picked).rejects.toMatchObject({ code: "aborted" });
  expect(browser.open.length).toBe(1);
});
