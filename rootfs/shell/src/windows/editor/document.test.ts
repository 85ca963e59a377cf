import { expect, it } from "vitest";
import { draftOf, keepDraft } from "./drafts.ts";
import { drafted, isDirty, kept, linesOf, opened, reloaded, seen, written } from "./document.ts";

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

it("a draft that was left is there again, and is asked about when the file has changed since", () => {
  const draft = { text: "one and mine", base: "one" };
  expect(drafted(draft, "one")).toEqual(typed);
  expect(drafted(draft, "two")).toEqual({ ...typed, other: "two" });
  expect(drafted(draft, null)).toEqual({ ...typed, other: null });
  expect(isDirty(drafted(draft, "one and mine"))).toBe(false);
});

it("a draft is kept for its file alone, and a browser without room says so", () => {
  const kept = new Map<string, string>();
  const store = { getItem: (key: string) => kept.get(key) ?? null, setItem: (key: string, value: string) => void kept.set(key, value), removeItem: (key: string) => void kept.delete(key) };
  const draft = { text: "b", base: "a", windows: true };
  expect(keepDraft("notes.md", draft, store)).toBe(true);
  expect(draftOf("notes.md", store)).toEqual(draft);
  expect(draftOf("other.md", store)).toBeUndefined();
  keepDraft("notes.md", undefined, store);
  expect(draftOf("notes.md", store)).toBeUndefined();
  const full = { ...store, setItem: () => { throw new Error("QuotaExceededError"); } };
  expect(keepDraft("notes.md", draft, full)).toBe(false);
  for (const junk of ["", "7", "{", '{"text":1,"base":""}']) expect(draftOf("x", { getItem: () => junk })).toBeUndefined();
});
