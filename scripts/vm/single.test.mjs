// A shorter tour, of a computer on a server of its owner's own: the token instead of a sign-up, and no platform in front.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, afterEach, before, test } from "node:test";
import { chromium } from "playwright-core";

const { SINGLE_ADDRESS: address, SINGLE_TOKEN: token, SINGLE_PROVIDER: provider, SINGLE_SCREENS: screens } = process.env;
const APP = readFileSync(new URL("../e2e/expense-tracker.html", import.meta.url), "utf8");
// Software emulation takes its time.
const PATIENCE = 120_000;
let browser, page;

before(async () => {
  browser = await chromium.launch({ executablePath: "/usr/bin/chromium", headless: true, args: ["--no-sandbox", "--disable-gpu"] });
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, colorScheme: "light", reducedMotion: "reduce" });
  context.setDefaultTimeout(PATIENCE);
  page = await context.newPage();
});
after(() => browser?.close());
afterEach(async (t) => {
  if (t.passed === false) await page.screenshot({ path: `${screens}/single-failed.png` });
});

const answer = (text) => page.getByTestId("answer").filter({ hasText: text }).last().waitFor();

async function say(text, ...turns) {
  const told = await fetch(`${provider}/_script`, { method: "POST", body: JSON.stringify({ turns }) });
  assert.ok(told.ok, await told.text());
  await page.getByLabel("Message to your AI").fill(text);
  await page.keyboard.press("Enter");
  await answer(turns.at(-1).say);
}

test("a wrong token is refused, the right one opens the desktop", async () => {
  await page.goto(address);
  await page.getByLabel("Token").fill("0".repeat(64));
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("alert").waitFor();
  await page.screenshot({ path: `${screens}/single-sign-in.png` });
  await page.getByLabel("Token").fill(token);
  await page.getByRole("button", { name: "Sign in" }).click();
  await answer("Hello olga");
});

test("an app is built by asking, works, and is there after a reload", async () => {
  await say(
    "Build me an expense tracker",
    { tools: [{ name: "make_app", input: { name: "expense-tracker", title: "Expense tracker", description: "What you spend.", icon: "💶", category: "finance", html: APP } }], expect: ["apps/expense-tracker.html"] },
    { say: "It is open." },
  );
  await page.locator('iframe[title="Expense tracker"]').waitFor();
  await page.reload();
  const app = page.frameLocator('iframe[title="Expense tracker"]');
  await app.getByLabel("What for?").fill("Coffee");
  await app.getByLabel("Amount").fill("3.20");
  await app.getByRole("button", { name: "Add" }).click();
  await app.locator("#total", { hasText: "3.20" }).waitFor();
  await page.screenshot({ path: `${screens}/single-desktop.png` });
});

test("a terminal runs as the computer's own user", async () => {
  await page.getByTestId("dock-terminal").first().click();
  await page.getByLabel("Terminal input").first().waitFor();
  await page.locator(".xterm-rows", { hasText: "$" }).first().waitFor();
  await page.getByLabel("Terminal input").first().focus();
  await page.keyboard.type('echo "<$(id -un):$(pwd):$(env | grep -c AUTH_TOKEN)>"');
  await page.keyboard.press("Enter");
  await page.locator(".xterm-rows", { hasText: "<matrixos-single:/var/lib/matrixos-single:0>" }).first().waitFor();
});

test("signing out closes it", async () => {
  await page.goto(`${address}/.matrixos/sign-out`);
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByLabel("Token").waitFor();
});
