import { describe, expect, it } from "vitest";
import { EMPTY, MOST_WINDOWS, frontOf, frontOnGround, panelOf, parseLayout, reduce, type Action, type Layout } from "./layout.ts";

const area = { width: 1440, height: 800 };
const run = (actions: Action[], from: Layout = EMPTY) => actions.reduce(reduce, from);
const open = (kind: "terminal" | "files" | "system"): Action => ({ type: "open", kind, area });
const summon = (kind: "terminal" | "files" | "system"): Action => ({ type: "summon", kind, area });
const ids = (layout: Layout) => layout.windows.map((w) => w.id);

describe("the windows", () => {
  it("open in front, come forward from the dock, and take turns when there are several of a kind", () => {
    const three = run([summon("terminal"), open("terminal"), summon("files")]);
    expect(ids(three)).toEqual(["terminal-1", "terminal-2", "files-1"]);
    expect(frontOf(run([summon("terminal")], three))?.id).toBe("terminal-2");
    expect(frontOf(run([summon("terminal"), summon("terminal")], three))?.id).toBe("terminal-1");
    expect(run([summon("files")], three).windows).toHaveLength(3);
  });

  it("are shown by what they show: the one that has it, or another; the settings turn their page", () => {
    const show = (kind: "files" | "settings", subject?: string): Action => (subject === undefined ? { type: "show", kind, area } : { type: "show", kind, subject, area });
    const two = run([show("files", "a"), show("files", "b"), open("terminal"), show("files", "a")]);
    expect(two.windows.map((w) => w.subject)).toEqual(["b", undefined, "a"]);
    const turned = run([show("settings", "ai"), show("settings", "account"), show("settings")]);
    expect(turned.windows.map((w) => w.subject)).toEqual(["account"]);
  });

  it("give the front to the next one when minimised, and come back from the dock", () => {
    const away = run([open("files"), open("terminal"), { type: "minimise", id: "terminal-1" }]);
    expect(frontOf(away)?.id).toBe("files-1");
    const back = run([summon("terminal")], away);
    expect(frontOf(back)?.id).toBe("terminal-1");
  });

  it("leave the chat its panel, and show each app once", () => {
    const app = (name: string, behind = false): Action => ({ type: "show", kind: "app", subject: name, area, behind });
    const shown = run([summon("terminal"), app("todo"), { type: "summon", kind: "chat", area }, app("notes", true), app("todo", true)]);
    expect(ids(shown)).toEqual(["terminal-1", "app-2", "app-1", "chat-1"]);
    expect(shown.windows.map((w) => w.subject)).toEqual([undefined, "notes", "todo", undefined]);
    expect(panelOf(shown)?.id).toBe("chat-1");
    expect(frontOnGround(shown)?.id).toBe("app-1");
    expect(frontOf(run([app("notes")], shown))?.subject).toBe("notes");
    const stored = run([{ type: "load", layout: shown }], run([app("todo")]));
    expect(stored.windows.filter((w) => w.subject === "todo")).toHaveLength(1);
    expect(parseLayout(JSON.parse(JSON.stringify(shown)))).toMatchObject(shown);
  });

  it("remember their free place while they are snapped", () => {
    const free = run([open("files")]).windows[0]!.rect;
    const snapped = run([open("files"), { type: "snap", id: "files-1", snap: "left" }]);
    const again = run([{ type: "snap", id: "files-1", snap: undefined }], snapped);
    expect(again.windows[0]).toMatchObject({ rect: free });
    expect(again.windows[0]!.snap).toBeUndefined();
  });

  it("that are one too many take the place of one that loses nothing, or wait for their owner to close one", () => {
    const app = (name: string): Action => ({ type: "show", kind: "app", subject: name, area, behind: true });
    const terminals = Array.from({ length: MOST_WINDOWS - 1 }, () => open("terminal"));
    const gaveWay = run([open("files"), ...terminals, app("todo")]);
    expect(gaveWay.windows).toHaveLength(MOST_WINDOWS);
    expect(gaveWay.away?.id).toBe("files-1");
    expect(gaveWay.windows.some((w) => w.subject === "todo")).toBe(true);
    const waiting = run([app("notes"), app("quiz"), app("notes")], gaveWay);
    expect(waiting.windows).toEqual(gaveWay.windows);
    expect(waiting.waits).toHaveLength(2);
    const one = run([{ type: "close", id: "terminal-3" }], waiting);
    expect(one.windows.filter((w) => w.kind === "app").map((w) => w.subject)).toContain("quiz");
    expect(run([{ type: "close", id: "terminal-4" }], one).windows.some((w) => w.subject === "notes")).toBe(true);
    expect(run([{ type: "close", id: "terminal-3" }], run([{ type: "noted" }], waiting)).windows).toHaveLength(MOST_WINDOWS - 1);
    // One that is there already needs no room.
    expect(run([app("todo")], gaveWay).waits).toBeUndefined();
    expect(parseLayout(JSON.parse(JSON.stringify(waiting))).waits).toBeUndefined();
  });

  it("never become more than the bound", () => {
    const many = run(Array.from({ length: MOST_WINDOWS + 5 }, () => open("terminal")));
    expect(many.windows).toHaveLength(MOST_WINDOWS);
    expect(new Set(ids(many)).size).toBe(MOST_WINDOWS);
  });
});

describe("a stored layout", () => {
  it("survives being written and read", () => {
    const layout = run([open("terminal"), { type: "subject", id: "terminal-1", subject: "s1" }, { type: "snap", id: "terminal-1", snap: "right" }, open("files")]);
    const read = parseLayout(JSON.parse(JSON.stringify(layout)));
    expect(read.greeted).toBe(true);
    expect(read.windows[0]).toMatchObject({ id: "terminal-1", subject: "s1", snap: "right" });
    expect(ids(read)).toEqual(ids(layout));
  });

  it("loses only what makes no sense", () => {
    const rect = { x: 1, y: 2, width: 400, height: 300 };
    const windows = [
      { id: "files-1", kind: "files", rect },
      { id: "files-1", kind: "files", rect },
      { id: "x", kind: "toaster", rect },
      { id: "y", kind: "system", rect: { ...rect, x: "left" } },
      { id: "z", kind: "system", rect, snap: "sideways" },
      null,
    ];
    expect(ids(parseLayout({ windows }))).toEqual(["files-1", "z"]);
    expect(parseLayout({ windows }).windows[1]!.snap).toBeUndefined();
    for (const junk of [null, [], "x", 3, { windows: 7 }]) expect(parseLayout(junk).windows).toEqual([]);
  });

  it("that arrives late takes nothing away from what was opened meanwhile", () => {
    const early = run([summon("terminal")]);
    const stored = run([open("terminal"), { type: "subject", id: "terminal-1", subject: "old" }, open("terminal")]);
    const both = run([{ type: "load", layout: stored }], early);
    expect(ids(both).at(-1)).toBe("terminal-1");
    expect(both.windows).toHaveLength(3);
    expect(new Set(ids(both)).size).toBe(3);
    expect(both.windows.some((w) => w.subject === "old")).toBe(true);
  });
});
