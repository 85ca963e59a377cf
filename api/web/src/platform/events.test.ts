// Keeps: the activity log is readable, says who acted, and hides nothing that it does not know.
import { expect, test } from "vitest";
import { eventName, eventWords, isAlarming, origins } from "./events.ts";
import type { AuditEvent } from "./wire.ts";

const event: AuditEvent = { number: 1, at: 0, what: "signed_in", detail: null, address: "192.0.2.7", browser: "Firefox on Linux", by: "self" };

test("known events are words, unknown ones are shown as they are", () => {
  expect(eventWords("passkey_added")).toBe("Passkey added");
  expect(["something_new", "toString", "__proto__"].map(eventWords)).toEqual(["something_new", "toString", "__proto__"]);
});

test("where it came from, and who did it if not oneself", () => {
  expect(origins(event)).toBe("Firefox on Linux · 192.0.2.7");
  expect(origins({ ...event, by: "operator", browser: null, address: null })).toBe("by the operator");
  expect(origins({ ...event, by: "administrator", detail: "rooted", browser: null, address: null })).toBe("by the administrator rooted");
  expect(eventName({ ...event, what: "computer_stopped", by: "administrator", detail: "rooted" })).toBe("Computer stopped");
  expect(eventName({ ...event, what: "passkey_added", detail: "Phone" })).toBe("Passkey added: Phone");
});

test("what its owner should look at twice stands out", () => {
  expect([event, { ...event, by: "stranger" as const }, { ...event, what: "refresh_reused" }].map(isAlarming)).toEqual([false, true, true]);
});
