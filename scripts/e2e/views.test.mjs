// What the desktop looks like where that matters: things to press that fingers hit, notices that stand beside each other, words that are
// a stranger's, settings that are made elsewhere.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { LAPTOP, PHONE, launch } from "./browser.mjs";
import { Computer } from "./computer.mjs";
import { VIEWS, clear, liveIn, send } from "./lived.mjs";
import { screens, until } from "./platform.mjs";
import { Provider, Telegram } from "./scripted.mjs";

const BOT = "123456789:AAExampleExampleExampleExampleExamp";

let provider, telegram, computer, browser;

before(async () => {
  provider = await Provider.start();
  telegram = await Telegram.start(BOT);
  computer = await Computer.start(provider, { MATRIX_SINGLE: "1", MATRIX_TELEGRAM_TOKEN: BOT, MATRIX_TELEGRAM_OWNERS: "77, 88", MATRIX_TELEGRAM_API: telegram.base });
  await liveIn(computer);
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await computer?.end();
  await telegram?.end();
  await provider?.end();
});

async function visit(viewport, touch = false) {
  const page = await (await browser.newContext({ viewport, colorScheme: "light", reducedMotion: "reduce", hasTouch: touch, isMobile: touch })).newPage();
  page.setDefaultTimeout(60_000);
  return page;
}

/**
 * What can be pressed and is smaller than a finger, with its size. The label counts for its field; links within a text are as high as its
 * lines; keys that stand in a row are a little narrower, and a switch reaches ten pixels beyond what is seen of it.
 */
function small(least) {
  const found = [];
  for (const one of document.querySelectorAll("button, a[href], input, select, textarea, [role=menuitem], [role=option]")) {
    const label = one.closest("label");
    const box = (label ?? one).getBoundingClientRect();
    const style = getComputedStyle(one);
    if (box.width === 0 || style.visibility === "hidden" || style.display === "inline" || one.matches(".xterm *, [data-inline], [role=switch]")) continue;
    const narrow = one.closest("[role=toolbar]") ? 36 : least;
    // Apps round their own way.
    if (box.width < narrow - 1.5 || box.height < least - 1.5) found.push(`${one.getAttribute("aria-label") ?? one.innerText?.trim().slice(0, 30) ?? one.tagName} ${one.tagName}: ${Math.round(box.width)} x ${Math.round(box.height)}`);
  }
  return [...new Set(found)];
}

test("on a phone, whatever is to be pressed is large enough for a finger", async () => {
  const page = await visit(PHONE, true);
  const all = [];
  for (const [name, open] of Object.entries(VIEWS)) {
    await clear(page, computer);
    await open(page);
    for (const frame of page.frames()) all.push(...(await frame.evaluate(small, 44)).map((one) => `${name}: ${one}`));
    const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
    if (wide) all.push(`${name}: wider than the screen`);
  }
  await page.context().close();
  assert.equal(all.join("\n"), "");
});

test("whatever is said at once stands beside each other, not upon", async () => {
  for (const [viewport, touch] of [[LAPTOP, false], [PHONE, true]]) {
    const page = await visit(viewport, touch);
    await page.goto("about:blank");
    const rect = { x: 40, y: 40, width: 640, height: 480 };
    const apps = Array.from({ length: 15 }, (_, n) => ({ id: `app-${n + 1}`, kind: "app", rect, subject: `none-${n + 1}` }));
    const windows = [{ id: "chat-1", kind: "chat", rect, snap: "panel", minimised: true }, ...apps];
    await send(computer, "PUT", "/api/layout", { greeted: true, windows });
    await send(computer, "PUT", "/api/settings/agent", { approval: "always" });
    await send(computer, "POST", "/api/notices", { text: "A program was ended, for your computer has 256 MB and it wanted more. Whatever it had not kept is lost; everything else goes on." });
    await page.goto(computer.address);
    await page.getByText("A program was ended").last().waitFor();
    await page.getByTestId("palette-open").click();
    await page.getByTestId("palette-app-todo.html").click();
    await page.getByTestId("crowded").getByText(/opens as soon as you close one/).waitFor();
    await provider.told({ turns: [{ tools: [{ name: "run_command", input: { command: "echo asked" } }], say: "May I?" }, { say: "Done." }] });
    // It answers when the turn has ended, which waits for a question that nobody answers here.
    const asking = send(computer, "POST", "/api/message", { text: "Run it", sessionId: `0000000000000000000000000000${touch ? "feed" : "beef"}` }).catch(() => {});
    await page.getByText(/^Your AI asks:/).waitFor();
    await page.screenshot({ path: `${screens}/views-notices-${viewport.width}.png` });
    const boxes = await page.locator('[role="status"][data-shown="true"]').evaluateAll((all) => all.map((one) => one.getBoundingClientRect().toJSON()));
    assert.equal(boxes.length, 3);
    for (const [at, one] of boxes.entries()) {
      assert.ok(one.left >= 0 && one.right <= viewport.width && one.top >= 0 && one.bottom <= viewport.height, "it is within the screen");
      for (const other of boxes.slice(at + 1)) assert.ok(one.bottom <= other.top || other.bottom <= one.top, `${JSON.stringify(one)} is clear of ${JSON.stringify(other)}`);
    }
    await page.getByRole("button", { name: "Look at it" }).click();
    await page.getByRole("button", { name: "Don’t allow" }).first().click();
    await asking;
    await page.context().close();
  }
  await send(computer, "PUT", "/api/settings/agent", { approval: "outside" });
});

test("a stranger's words are told from the owner's at sight, and by ear", async () => {
  const page = await visit(LAPTOP);
  await clear(page, computer);
  await VIEWS["chat-own"](page);
  const looks = (bubble) => bubble.evaluate((one) => ({ ground: getComputedStyle(one).backgroundColor, left: one.getBoundingClientRect().left }));
  const messages = page.getByRole("region", { name: "Messages" });
  const own = await looks(messages.getByText("And then?", { exact: true }));
  await VIEWS["chat-stranger"](page);
  const stranger = page.getByTestId("stranger");
  await stranger.getByText("Mallory").waitFor();
  await stranger.getByText("over Telegram, not you").waitFor();
  assert.match(await stranger.innerText(), /They said:/);
  const theirs = await looks(stranger.getByText(/^They said: ?Hello! Send me all/));
  assert.notEqual(theirs.ground, own.ground);
  const middle = await messages.evaluate((one) => one.getBoundingClientRect().left + one.getBoundingClientRect().width / 2);
  assert.ok(theirs.left < middle - 100, "it begins at the other side");
  await page.getByRole("button", { name: "All conversations" }).click();
  await page.getByLabel("Search all conversations").fill("owner's files");
  await page.getByRole("list", { name: "Found" }).getByText(/^Mallory · /).waitFor();
  await page.context().close();
});

test("what is set where the computer was installed is shown, says why, and cannot be changed here", async () => {
  const page = await visit(LAPTOP);
  await clear(page, computer);
  await VIEWS["settings-channels"](page);
  const window = page.getByTestId("window-settings");
  await page.getByTestId("token-fixed").getByText(/Set by MATRIX_TELEGRAM_TOKEN/).waitFor();
  assert.equal(await window.getByRole("button", { name: /Replace|Remove/ }).count(), 0);
  const owners = window.getByLabel("Your Telegram ids");
  assert.equal(await owners.inputValue(), "77, 88");
  assert.ok(!(await owners.isEditable()), "it is only to see");
  await window.getByText(/Set by MATRIX_TELEGRAM_OWNERS where this computer was installed/).waitFor();
  assert.equal(await window.getByText(/sleeps|wakes/).count(), 0, "a computer by itself does not sleep");
  // What is not set there can be.
  await window.getByRole("switch", { name: "Use Telegram" }).click();
  await window.getByRole("button", { name: "Save" }).click();
  await until("it is kept", async () => (await (await fetch(`${computer.address}/api/settings/channels`)).json()).telegram.enabled === false);
  await page.screenshot({ path: `${screens}/views-environment.png` });
  await page.context().close();
});
