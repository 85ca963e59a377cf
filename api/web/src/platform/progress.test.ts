// Keeps: a start is followed to its end, through lost connections.
import { expect, test } from "vitest";
import { Problem } from "./problem.ts";
import { LOOK_MS, LOST_MS, NOTHING_YET, UNPACKING, follow, spoken, stepText } from "./progress.ts";
import type { Computer, ComputerState } from "./wire.ts";

const at = (state: ComputerState): Computer => ({ ...NOTHING_YET, state });

/** Follows a platform that says these things one after another. */
async function followed(says: (Computer | Problem)[], stop = new AbortController()) {
  const pauses: number[] = [];
  const reports: [ComputerState | undefined, boolean][] = [];
  const read = async () => {
    const next = says.shift();
    if (!next) throw new Error("asked once too often");
    if (next instanceof Problem) throw next;
    return next;
  };
  const pause = async (ms: number) => void pauses.push(ms);
  await follow({ read, pause, report: (computer, lost) => reports.push([computer?.state, lost]), signal: stop.signal });
  return { pauses, reports };
}

test("files that had been packed away are said to be unpacked, and nothing else is", () => {
  const unpacking = { ...at("starting"), reason: "Its files are being unpacked." };
  expect(unpacking.steps.map(({ name }) => stepText(unpacking, name))).toEqual([UNPACKING, "Starting your container", "Opening your desktop"]);
  expect(spoken(unpacking)).toBe(UNPACKING);
  expect(stepText(at("starting"), "home")).toBe("Making your home");
  expect(stepText({ ...unpacking, state: "broken" }, "home")).toBe("Making your home");
});

test("a start is followed until it has settled, and not further", async () => {
  const { pauses, reports } = await followed([at("absent"), at("starting"), at("running")]);
  expect(reports.map(([state]) => state)).toEqual(["absent", "starting", "running"]);
  expect(pauses).toEqual([LOOK_MS, LOOK_MS]);
  expect((await followed([at("broken")])).reports).toEqual([["broken", false]]);
});

test("a lost connection is waited out", async () => {
  const { pauses, reports } = await followed([at("starting"), new Problem("no_answer", "x"), new Problem("busy", "x"), at("running")]);
  expect(reports.map(([, lost]) => lost)).toEqual([false, true, true, false]);
  expect(pauses).toEqual([LOOK_MS, LOST_MS, LOST_MS]);
});

test("somebody who is not signed in is not followed", async () => {
  await expect(followed([new Problem("not_signed_in", "x")])).rejects.toMatchObject({ code: "not_signed_in" });
});

test("nothing is reported after the page has gone", async () => {
  const stop = new AbortController();
  stop.abort();
  expect((await followed([at("starting")], stop)).reports).toEqual([]);
});

test("a screen reader hears the step that is under way", () => {
  const steps: Computer["steps"] = [
    { name: "home", state: "done", ms: 4 },
    { name: "container", state: "doing" },
    { name: "desktop", state: "waiting" },
  ];
  expect(spoken({ state: "starting", steps })).toBe("Starting your container");
  expect(spoken(at("running"))).toBe("Your computer is running.");
});
