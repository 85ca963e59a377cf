// The desktop by the keyboard alone: a person without a mouse talks, opens, moves, names, throws away, sets, and closes.
import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { LAPTOP, launch } from "./browser.mjs";
import { Computer } from "./computer.mjs";
import { send } from "./lived.mjs";
import { screens, until } from "./platform.mjs";
import { Provider } from "./scripted.mjs";

let provider, computer, browser, page;

before(async () => {
  provider = await Provider.start();
  computer = await Computer.start(provider);
  writeFileSync(`${computer.home}/plan.md`, "one\n");
  await send(computer, "PUT", "/api/layout", { greeted: true, windows: [] });
  browser = await launch();
  page = await (await browser.newContext({ viewport: LAPTOP, colorScheme: "light", reducedMotion: "reduce" })).newPage();
  page.setDefaultTimeout(60_000);
  await page.goto(computer.address);
  await page.getByTestId("dock-chat").waitFor();
});

after(async () => {
  await browser?.close();
  await computer?.end();
  await provider?.end();
});

const press = (key) => page.keyboard.press(key);
const front = (kind) => page.locator(`[data-testid="window-${kind}"][data-front="true"]`).waitFor();

/** What has the focus: its role or element, and how it is called. */
const focus = () =>
  page.evaluate(() => {
    const one = document.activeElement;
    return { tag: one.tagName, role: one.getAttribute("role"), name: one.dataset.name ?? one.getAttribute("aria-label") ?? one.innerText?.trim() ?? "", ringed: getComputedStyle(one).outlineStyle !== "none", window: one.closest('section[role="dialog"]')?.dataset.testid };
  });

const has = (what, wanted) => until(`${what} has the focus`, async () => wanted(await focus()));

/** Goes on by Tab, or another key, to what is wanted; each stop on the way can be seen. */
async function reach(what, wanted, key = "Tab") {
  for (let steps = 0; steps < 40; steps++) {
    const at = await focus();
    if (wanted(at)) return at;
    await press(key);
    const next = await focus();
    assert.ok(next.tag !== "BUTTON" || next.ringed, `the focus is seen on “${next.name}”`);
  }
  assert.fail(`${what} is not reached by ${key}; the focus is at ${JSON.stringify(await focus())}`);
}

async function open(words) {
  await press("Control+k");
  await has("the palette", ({ role }) => role === "combobox");
  await page.keyboard.type(words);
  await press("Enter");
  await page.getByTestId("palette").waitFor({ state: "detached" });
}

test("Tab alone reaches the dock and the apps from where the page begins", async () => {
  await reach("an app", ({ name }) => name === "To do");
  await reach("the dock", ({ name }) => name === "Chat");
});

test("the chat is opened from the dock, and a message is sent and answered", async () => {
  await press("Control+Alt+d");
  await reach("the chat's entry", ({ name }) => name === "Chat");
  await press("Enter");
  await has("the composer", ({ tag, name }) => tag === "TEXTAREA" && name === "Message to your AI");
  await provider.told({ turns: [{ say: "Heard by ear." }] });
  await page.keyboard.type("Hello by keyboard");
  await press("Enter");
  await page.getByRole("region", { name: "Messages" }).getByText("Heard by ear.", { exact: true }).waitFor();
  assert.equal((await focus()).tag, "TEXTAREA", "the next word can be typed at once");
});

test("an app is opened from the palette, and the windows are gone through", async () => {
  await open("to do");
  await has("the window", ({ window }) => window === "window-app");
  await page.frameLocator("iframe").getByRole("textbox").first().waitFor();
  await reach("the app's own field", ({ tag }) => tag === "IFRAME");
  await press("Control+Alt+n");
  await front("chat");
  await press("Control+Alt+n");
  await front("app");
});

test("all apps are in the dock's menu, which Escape closes again", async () => {
  await press("Control+Alt+d");
  await reach("the dock's apps", ({ name }) => name === "Apps");
  await press("Enter");
  await has("an app in the menu", ({ role }) => role === "menuitem");
  await press("Escape");
  await has("the dock again", ({ name }) => name === "Apps");
});

test("files are opened, one is renamed and then thrown away", async () => {
  await open("files");
  await has("the window", ({ window }) => window === "window-files");
  await page.getByRole("row").first().waitFor();
  await reach("the list", ({ role }) => role === "row");
  await reach("the file", ({ name }) => name === "plan.md", "ArrowDown");
  await press("F2");
  await has("the field", ({ tag, name }) => tag === "INPUT" && name === "New name of plan.md");
  await page.keyboard.type("scheme");
  await press("Enter");
  await has("the file by its new name", ({ name }) => name === "scheme.md");
  assert.ok(existsSync(`${computer.home}/scheme.md`) && !existsSync(`${computer.home}/plan.md`));
  await press("Delete");
  await until("it is in the trash", () => !existsSync(`${computer.home}/scheme.md`) && readdirSync(`${computer.home}/.trash`).some((name) => name.includes("scheme.md")));
  await has("another row", ({ role, name }) => role === "row" && name !== "scheme.md");
});

test("what can be done with a file is reached without knowing its keys", async () => {
  await reach("a file", ({ name }) => name === "README.md", "ArrowDown");
  for (const way of ["ContextMenu", "Shift+F10"]) {
    await press(way);
    await has("its menu", ({ role }) => role === "menuitem");
    await press("Escape");
    await has("its button", ({ name }) => name === "What to do with README.md");
    await press("Shift+Tab");
    await has("the file again", ({ role, name }) => role === "row" && name === "README.md");
  }
  await press("Tab");
  await has("its button", ({ name }) => name === "What to do with README.md");
  await press("Enter");
  await has("its menu", ({ role }) => role === "menuitem");
  await press("Escape");
});

test("the terminal is opened, used, and left again", async () => {
  await open("terminal");
  await has("the shell", ({ tag, name }) => tag === "TEXTAREA" && name === "Terminal input");
  await until("the shell is there", async () => /[$#]/.test(await page.locator(".xterm-rows").first().innerText()));
  // Before the line stands, what is typed is kept.
  await page.keyboard.type("echo by-keyboard > typed.txt");
  await press("Enter");
  await until("the command has run", () => readFileSync(`${computer.home}/typed.txt`, "utf8") === "by-keyboard\n");
  await press("Tab");
  assert.equal((await focus()).tag, "TEXTAREA", "Tab belongs to the shell");
  const told = await page.evaluate(() => document.activeElement.getAttribute("aria-description"));
  assert.match(told, /Control Alt D/, "the way out is told to those who cannot see the window's menu");
  await press("Control+Alt+d");
  await has("the dock", ({ name, window }) => window === undefined && name.startsWith("Chat"));
});

test("a setting is changed", async () => {
  await reach("the settings' entry", ({ name }) => name === "Settings");
  await press("Enter");
  await has("the window", ({ window }) => window === "window-settings");
  await page.getByTestId("settings-appearance").waitFor();
  await reach("the page", ({ name }) => name.startsWith("Appearance"));
  await press("Enter");
  await reach("light or dark", ({ tag, name }) => tag === "INPUT" && !name);
  await until("it is dark", async () => {
    await press("ArrowRight");
    return page.evaluate(() => document.documentElement.dataset.theme === "dark");
  });
  await until("it is kept", async () => (await (await fetch(`${computer.address}/api/settings/appearance`)).json()).appearance === "dark");
});

test("everything is closed, and the focus is never lost", async () => {
  const windows = page.locator('section[role="dialog"]');
  await page.screenshot({ path: `${screens}/keys.png` });
  for (let left = await windows.count(); left > 0; left--) {
    // The key goes away with the frame that it was pressed in: the driver may wait for it forever.
    press("Control+Alt+w").catch(() => {});
    await until("one less", async () => (await windows.count()) === left - 1);
    await has(left > 1 ? "the next window" : "the dock", ({ tag, window }) => tag !== "BODY" && (left === 1 || window !== undefined));
  }
});
