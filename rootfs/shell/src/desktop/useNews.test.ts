import { expect, test } from "vitest";
import { latest } from "./useNews.ts";

const notice = (id: string, at: number) => ({ id, at, text: `news ${id}` });

test("the newest fresh notice is shown until it is put away", () => {
  const now = 1_800_000_000_000;
  const all = [notice("1", now - 60_000), notice("2", now - 1_000)];
  expect(latest(all, new Set(), now)?.id).toBe("2");
  expect(latest(all, new Set(["2"]), now)?.id).toBe("1");
  expect(latest(all, new Set(["1", "2"]), now)).toBeUndefined();
  expect(latest([notice("3", now - 3_600_000)], new Set(), now)).toBeUndefined();
});
