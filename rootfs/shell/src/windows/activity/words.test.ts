import { expect, it } from "vitest";
import { resultOf, sourceOf, took, toolsOf } from "./words.ts";

it("a turn is told in words, also one this version does not know", () => {
  expect(["desktop", "cron", "app:todo", "telegram", "pigeon"].map(sourceOf)).toEqual(["You, here", "A job", "App todo", "Telegram", "pigeon"]);
  expect(resultOf("done")).toEqual({ name: "Done", tone: "good" });
  expect(resultOf("no_budget").tone).toBe("bad");
  expect(resultOf("on_fire")).toEqual({ name: "on_fire", tone: "bad" });
  expect(toolsOf(["read_file", "run_command", "read_file"])).toEqual([{ name: "read file", times: 2 }, { name: "run command", times: 1 }]);
  expect([850, 4_230, 59_990, 185_000, 120_000].map(took)).toEqual(["850 ms", "4.2 s", "60.0 s", "3 min 5 s", "2 min"]);
});
