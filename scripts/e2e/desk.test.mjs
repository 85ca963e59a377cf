// The desktop's own promises, on one computer alone: unsaved text, the keyboard inside of an app, models, a desktop that is full.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { LAPTOP, launch } from "./browser.mjs";
import { Computer } from "./computer.mjs";
import { screens, until } from "./platform.mjs";
import { Provider } from "./scripted.mjs";

let provider, computer, browser, page;

before(async () => {
  provider = await Provider.start();
  computer = await Computer.start(provider);
  writeFileSync(`${computer.home}/plan.md`, "one\n");
  browser = await launch();
  page = await (await browser.newContext({ viewport: LAPTOP, colorScheme: "light", reducedMotion: "reduce" })).newPage();
});

after(async () => {
  await browser?.close();
  await computer?.end();
  await provider?.end();
});

const rect = { x: 40, y: 40, width: 640, height: 480 };
const stored = () => page.evaluate(async () => (await fetch("/api/files/list?path=")).ok && (await fetch("/files/plan.md")).text());

/** Opens the desktop with these windows and no others. */
async function arrange(windows) {
  await page.goto("about:blank");
  // The page that has just gone may still have its own layout kept, after this one.
  await until("these windows are there", async () => {
    writeFileSync(`${computer.home}/system/layout.json`, JSON.stringify({ greeted: true, windows }));
    await page.goto(computer.address);
    await page.getByTestId(`window-${windows[0].kind}`).first().waitFor({ state: "attached", timeout: 5_000 });
    return (await page.locator('section[role="dialog"]').count()) === windows.length;
  });
}

test("text that is not saved outlives a reload, and is asked about when its window is closed", async () => {
  await arrange([{ id: "editor-1", kind: "editor", rect, subject: "plan.md" }]);
  const field = page.getByTestId("editor-text");
  await field.fill("one and mine\n");
  await page.getByText("A draft is kept.").waitFor();
  await page.reload();
  await until("the draft is there again", async () => (await field.inputValue()) === "one and mine\n");
  assert.equal(await stored(), "one\n", "nothing was saved by itself");

  const close = page.getByTestId("window-editor").getByRole("button", { name: "Close" });
  await close.click();
  await page.getByRole("button", { name: "Cancel" }).click();
  assert.equal(await field.inputValue(), "one and mine\n");
  await close.click();
  await page.screenshot({ path: `${screens}/desk-leaving.png` });
  await page.getByTestId("leave-save").click();
  await field.waitFor({ state: "detached" });
  assert.equal(await stored(), "one and mine\n");
});

test("the keys for windows work inside of an app", async () => {
  await arrange([{ id: "app-1", kind: "app", rect, subject: "todo" }]);
  const window = page.getByTestId("window-app");
  const field = page.frameLocator("iframe").getByRole("textbox").first();
  await field.click();
  await page.keyboard.press("Control+Alt+ArrowLeft");
  await until("it lies at the left", async () => (await window.getAttribute("data-snap")) === "left");
  await field.click();
  await page.keyboard.press("Control+Alt+d");
  await until("the dock has the focus", () => page.evaluate(() => document.activeElement?.closest("[data-dock]") !== null));
  await field.click();
  // The driver waits for the frame to have taken the key, and the key takes the frame away: it may wait forever.
  page.keyboard.press("Control+Alt+w").catch(() => {});
  await window.waitFor({ state: "detached" });
  await page.keyboard.up("Alt");
  await page.keyboard.up("Control");
});

test("the models are those that the provider names", async () => {
  await arrange([{ id: "settings-1", kind: "settings", rect: { ...rect, width: 780 }, subject: "ai" }]);
  const model = page.getByLabel("Model", { exact: true });
  await until("all of them are there", async () => (await model.locator("option").allInnerTexts()).includes("Fable 5.1"));
  assert.equal(await model.inputValue(), "claude-sonnet-5-5");
});

test("with as many windows as there can be, an app is opened as soon as there is room, and that is said", async () => {
  const many = Array.from({ length: 16 }, (_, n) => ({ id: `app-${n + 1}`, kind: "app", rect, subject: `none-${n + 1}` }));
  await arrange(many);
  await page.getByRole("button", { name: /^To.?do/i }).first().dispatchEvent("click");
  await page.getByTestId("crowded").getByText(/opens as soon as you close one/).waitFor();
  await page.screenshot({ path: `${screens}/desk-crowded.png` });
  await page.locator('[data-front="true"]').getByRole("button", { name: "Close" }).click();
  await page.locator('[data-app="todo"]').waitFor();
});
