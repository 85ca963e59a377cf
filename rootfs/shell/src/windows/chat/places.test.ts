import { expect, it } from "vitest";
import { hintFor, placeOf } from "./places.ts";

it("a conversation's id tells where it is held", () => {
  expect(placeOf("welcome")).toEqual({ at: "desktop" });
  expect(placeOf("0123456789abcdef0123456789abcdef")).toEqual({ at: "desktop" });
  expect(placeOf("cron-0f6c")).toEqual({ at: "job" });
  expect(placeOf("telegram-0123456789abcdef")).toEqual({ at: "channel", channel: "Telegram" });
  expect(placeOf("visitor-telegram-0123456789abcdef")).toEqual({ at: "visitor", channel: "Telegram" });
  expect(placeOf("visitor-x")).toEqual({ at: "visitor", channel: "a channel" });
});

it("where something can be said and goes nowhere else, that is told", () => {
  expect(hintFor(placeOf("welcome"))).toBeUndefined();
  expect(hintFor(placeOf("telegram-0123456789abcdef"))).toContain("not over Telegram");
  expect(hintFor(placeOf("cron-1"))).toContain("does not change the job");
});
