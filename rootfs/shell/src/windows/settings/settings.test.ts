import { expect, it } from "vitest";
import { idsOf, wrongIds, wrongModel, wrongNumber, wrongToken } from "./checks.ts";
import { labelOf } from "./models.ts";
import { PAGES, PAGE_IDS, isPageId } from "./pages.ts";
import { isOnPlatform } from "../../desktop/place.ts";
import { fieldOf, withField, wrongZone } from "./profile.ts";

const PROFILE = "# Profile\n\n- Display Name: Alice\n- Bio:\n- Timezone:\n- Language: en\n\nLikes: trains.\n";

it("fields of a profile are read and set, and the rest of the text stays as its owner wrote it", () => {
  expect(fieldOf(PROFILE, "Display Name")).toBe("Alice");
  expect(fieldOf(PROFILE, "Bio")).toBe("");
  const changed = withField(withField(PROFILE, "Bio", "Builds $1 things"), "Timezone", "Europe/Berlin");
  expect(changed).toBe(PROFILE.replace("- Bio:", "- Bio: Builds $1 things").replace("- Timezone:", "- Timezone: Europe/Berlin"));
  expect(withField("Hello.\n- Bio: x\nmore\n", "Language", "de")).toBe("Hello.\n- Bio: x\n- Language: de\nmore\n");
  expect(withField("", "Bio", "x")).toBe("# Profile\n\n- Bio: x\n");
});

it("a field can be typed letter by letter, spaces as well, and no line break gets into it", () => {
  let text = PROFILE;
  let typed = "";
  for (const letter of "Alice B. Cole") {
    typed = fieldOf(text, "Display Name").slice(0, typed.length) + letter;
    text = withField(text, "Display Name", typed);
    expect(fieldOf(text, "Display Name")).toBe(typed);
  }
  expect(withField(PROFILE, "Bio", "a\n- Timezone: Mars")).toContain("- Bio: a - Timezone: Mars\n");
});

it("time zones that nobody knows are noticed", () => {
  expect(wrongZone("Europe/Berlin")).toBeUndefined();
  expect(wrongZone("")).toBeUndefined();
  expect(wrongZone("Mars/Olympus")).toMatch(/Europe\/Berlin/);
});

it("ids of Telegram are numbers, each once, however they are set apart", () => {
  expect(idsOf("12, 34\n12; 56")).toEqual(["12", "34", "56"]);
  expect(wrongIds("123456789 987")).toBeUndefined();
  expect(wrongIds("")).toBeUndefined();
  expect(wrongIds("123, @alice")).toMatch(/@alice is a name/);
  for (const bad of ["-5", "12a", "0", "1".repeat(21)]) expect(wrongIds(bad), bad).toBeTypeOf("string");
});

it("a wrong paste is noticed before it is sent", () => {
  expect(wrongToken(` 123456789:${"A".repeat(35)} `)).toBeUndefined();
  for (const bad of ["", "hello", "123456789", `@bot:${"A".repeat(35)}`, `123456789:${"A".repeat(35)} x`]) expect(wrongToken(bad), bad).toBeTypeOf("string");
  for (const bad of ["", "claude sonnet", "x".repeat(101), "clàude"]) expect(wrongModel(bad), bad).toBeTypeOf("string");
  for (const bad of [Number.NaN, 9, 3_601, 10.5, Number.POSITIVE_INFINITY]) expect(wrongNumber(bad, 10, 3_600), String(bad)).toMatch(/10 to 3,600/);
});

it("every page has a place in the list", () => {
  expect(PAGES.map(({ id }) => id)).toEqual([...PAGE_IDS]);
  expect(isPageId("toaster") || isPageId(undefined)).toBe(false);
});

it("a computer below a platform is told from one by itself", () => {
  const at = (host: string, handle: string, domain: string) => isOnPlatform(host, { handle, domain });
  expect(at("alice.matrix-os.example", "alice", "matrix-os.example")).toBe(true);
  expect(at("alice.localhost", "alice", "localhost")).toBe(true);
  for (const [host, handle, domain] of [["localhost", "me", "localhost"], ["192.168.1.5", "alice", "localhost"], ["alice", "alice", "localhost"], ["x.example", "", "example"]] as const) {
    expect(at(host, handle, domain)).toBe(false);
  }
  // One by itself whose address begins as its owner is called.
  expect(at("alice.example", "alice", "alice.example")).toBe(false);
  expect(isOnPlatform("alice.matrix-os.example", undefined)).toBe(true);
  expect(isOnPlatform("192.168.1.5", undefined)).toBe(false);
});

it("a model is shown in words that help to choose, and never as another", () => {
  const label = (id: string, name = id) => labelOf({ id, name });
  expect(label("claude-sonnet-5-5")).toBe("Sonnet 5.5: good at building, the usual one");
  expect(label("claude-opus-5-20260401")).toBe("Opus 5: the most thorough, costs the most");
  expect(label("claude-haiku-5-5", "Claude Haiku 5.5")).toBe("Claude Haiku 5.5: quick, costs the least");
  expect(label("claude-fable-5-1")).toBe("Fable 5.1");
  expect(label("llama-9", "Llama 9")).toBe("Llama 9");
  expect(label("my-own")).toBe("my-own");
});
