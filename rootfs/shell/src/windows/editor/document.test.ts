import { expect, it } from "vitest";
import { isDirty, kept, linesOf, opened, reloaded, seen, written } from "./document.ts";

const typed = { ...opened("one"), text: "one and mine" };

it("a change on the disk is shown at once to who has typed nothing, and asked about otherwise", () => {
  expect(seen(opened("one"), "two")).toEqual(opened("two"));
  expect(seen(typed, "one")).toEqual(typed);
  expect(seen(typed, "two")).toEqual({ ...typed, other: "two" });
  expect(seen(typed, "one and mine")).toEqual(opened("one and mine"));
  expect(seen(seen(typed, "two"), "one")).toEqual(typed);
});

it("whoever keeps theirs may save it, whoever reloads has what is on the disk", () => {
  const asked = seen(typed, "two");
  expect(reloaded(asked)).toEqual(opened("two"));
  expect(kept(asked)).toEqual({ stored: "two", text: "one and mine" });
  expect(isDirty(kept(asked))).toBe(true);
});

it("a file that is gone takes nothing with it", () => {
  const gone = seen(opened("one"), null);
  expect(gone).toEqual({ ...opened("one"), other: null });
  expect(reloaded(gone)).toBe(gone);
  expect(isDirty(kept(gone))).toBe(true);
});

it("what is typed while it is being saved is still to be saved", () => {
  const later = written({ ...typed, text: "one and mine, more" }, "one and mine");
  expect(isDirty(later)).toBe(true);
  expect(isDirty(written(typed, typed.text))).toBe(false);
  expect(linesOf("a\nb\n")).toBe(3);
});
