// Keeps: an act that wants a proof is asked for once, and done once the proof was given.
import { expect, test, vi } from "vitest";
import { withProof } from "./fresh.ts";
import { Problem } from "./problem.ts";

const first = new Problem("verify_first", "Confirm that it is you.");

test("the proof is asked for only when the platform wants it, and the act is done again", async () => {
  const ask = vi.fn(async () => {});
  expect(await withProof(ask, async () => "done")).toBe("done");
  expect(ask).not.toHaveBeenCalled();
  const act = vi.fn().mockRejectedValueOnce(first).mockResolvedValueOnce("done");
  expect(await withProof(ask, act)).toBe("done");
  expect([ask, act].map((f) => f.mock.calls.length)).toEqual([1, 2]);
});

test("who would rather not prove it has done nothing", async () => {
  const act = vi.fn().mockRejectedValue(first);
  await expect(withProof(() => Promise.reject(new Problem("aborted", "Stopped.")), act)).rejects.toMatchObject({ code: "aborted" });
  expect(act).toHaveBeenCalledTimes(1);
});

test("a platform that is never satisfied is not asked forever, and other failures are passed on", async () => {
  const ask = vi.fn(async () => {});
  const act = vi.fn().mockRejectedValue(first);
  await expect(withProof(ask, act)).rejects.toBe(first);
  expect([ask, act].map((f) => f.mock.calls.length)).toEqual([1, 2]);
  const other = new Problem("last_factor", "It is the last.");
  await expect(withProof(ask, () => Promise.reject(other))).rejects.toBe(other);
});
