// A person's tour of the whole product: from the sign-up to an app of one's own, and a message that finds the computer asleep.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, afterEach, before, test } from "node:test";
import { Person, launch } from "./browser.mjs";
import * as film from "./film.mjs";
import { Supervisor, containers, forgetEverything, takeEverythingDown, until } from "./platform.mjs";
import { Provider, Telegram } from "./scripted.mjs";

const APP = readFileSync(new URL("expense-tracker.html", import.meta.url), "utf8");
const EVE = 4711;
let provider, telegram, supervisor, browser, eve;

before(async () => {
  forgetEverything();
  provider = await Provider.start();
  telegram = await Telegram.start("123456789:AAE-eves-bot-of-the-tour-0123456789abcd");
  supervisor = await Supervisor.start(`${provider.config}${telegram.config}[sleep]\nfreeze_after_seconds = 10\nstop_after_seconds = 15\n`);
  browser = await launch();
  eve = await Person.arrive(browser, "eve");
});

after(async () => {
  await browser?.close();
  await takeEverythingDown(supervisor);
  await provider?.end();
  await telegram?.end();
});

afterEach(async (t) => {
  if (t.passed === false) await eve.picture(`tour-failed-${t.name.replaceAll(/\W+/g, "-").slice(0, 40)}`);
});

const chat = () => eve.at("window-chat");
const answers = () => eve.at("answer");

/** Says something to the AI, which answers by these turns of the model; waits until it has finished. */
async function say(text, ...turns) {
  await provider.told({ turns });
  const before = await answers().count();
  if (!(await chat().isVisible())) await eve.at("dock-chat").first().click();
  await eve.page.getByLabel("Message to your AI").pressSequentially(text, { delay: film.pace });
  await film.linger(400);
  await eve.page.keyboard.press("Enter");
  const last = turns.at(-1).say.slice(-60);
  await until(`the AI says: ${last}`, async () => (await answers().count()) > before && (await answers().last().innerText()).includes(last) && (await answers().last().getAttribute("data-live")) === "false");
  assert.deepEqual((await provider.standing()).failures, []);
}

test("whoever signs up is greeted by name on a desktop of their own", async () => {
  await eve.signUp();
  await chat().waitFor();
  await until("the greeting", async () => (await answers().first().innerText()).includes("eve"));
  await eve.picture("tour-greeting");
  await film.begin(eve.page);
  await film.linger(1_500);
});

test("an app that is asked for is built, opens, works, and is there after a reload", async () => {
  await say(
    "Build me an expense tracker",
    { say: "Let me look how apps are made here.", tools: [{ name: "load_skill", input: { name: "build-app" } }], expect: ["window.MatrixOS"] },
    {
      tools: [{ name: "make_app", input: { name: "expense-tracker", title: "Expense tracker", description: "What you spend, and what it comes to.", icon: "💶", category: "finance", html: APP } }],
      expect: ["apps/expense-tracker.html"],
    },
    { say: "Your expense tracker is open. Add what you spend, and it adds up." },
  );
  const frame = eve.page.locator('iframe[title="Expense tracker"]');
  await frame.waitFor();
  // The driver may lose sight of a frame that is loaded anew while it appears: it is used from the next visit on.
  await film.linger(1_500);
  await eve.page.reload();
  const app = eve.page.frameLocator('iframe[title="Expense tracker"]');
  for (const [what, much] of [["Coffee", "3.20"], ["Books", "24.90"]]) {
    await app.getByLabel("What for?").pressSequentially(what, { delay: film.pace });
    await app.getByLabel("Amount").pressSequentially(much, { delay: film.pace });
    await app.getByRole("button", { name: "Add" }).click();
    await film.linger(600);
  }
  const sum = () => until("the sum", async () => (await app.locator("#total").innerText()) === "28.10");
  await sum();
  await eve.picture("tour-app");
  await until("it is kept", () => eve.page.evaluate(() => fetch("/files/data/expense-tracker/spent.json").then(async (answer) => answer.ok && (await answer.json()).length === 2)));
  await eve.page.reload();
  await sum();
  assert.match((await provider.calls())[0].body, /Budget: \$\d\.\d\d remaining/);
});

test("the terminal shows what the app has kept", async () => {
  await eve.openTerminal();
  const { text } = await eve.shell("cat data/expense-tracker/spent.json; echo");
  await film.linger(1_500);
  assert.match(text.replaceAll(/\s/g, ""), /"cents":320,"what":"Coffee"/);
});

test("with a terminal, an app and an AI at work the computer takes less than half of its memory", async (t) => {
  const [{ memory, memory_limit }] = await containers();
  t.diagnostic(`the computer takes ${(memory / 2 ** 20).toFixed(1)} MiB of ${memory_limit / 2 ** 20}, what is kept of files included`);
  assert.ok(memory < 96 * 2 ** 20);
});

test("the desktop turns dark when it is asked to", async () => {
  const shown = () => eve.page.evaluate(() => document.documentElement.dataset.theme);
  assert.equal(await shown(), "light");
  await say("Make it dark", { tools: [{ name: "set_theme", input: { appearance: "dark" } }] }, { say: "Easier on the eyes." });
  await until("it is dark", async () => (await shown()) === "dark");
  await film.linger(2_500);
  await film.end();
  await eve.picture("tour-dark");
});

test("the budget is shown, and less of it after every answer", async () => {
  const shown = async () => Number(/\$(\d+\.\d\d)/.exec(await eve.at("budget").innerText())[1]);
  const before = await shown();
  assert.ok(before > 4 && before < 5, `$${before}`);
  await say("Tell me about tea", { say: `${"Tea is a drink. ".repeat(400)}That is all.` });
  await until("less is left", async () => (await shown()) < before);
});

test("a message from Telegram wakes the sleeping computer and is answered, and nobody else is heard", async () => {
  await eve.at("dock-settings").first().click();
  await eve.at("settings-channels").click();
  await eve.page.getByLabel("Token of your bot").fill(telegram.token);
  await eve.page.getByLabel("Your Telegram ids").fill(String(EVE));
  await eve.page.getByRole("switch", { name: "Use Telegram" }).click();
  await eve.page.getByRole("button", { name: "Save" }).click();
  await until("Telegram is connected", async () => /^Connected/.test(await eve.at("telegram-state").innerText()));
  await eve.picture("tour-telegram");
  await eve.page.goto("about:blank");
  await until("it sleeps", async () => (await containers())[0].state === "asleep", 120);
  await telegram.says(999, "Let me in");
  await provider.told({ turns: [{ say: "Two expenses, 28.10 together." }] });
  await telegram.says(EVE, "What did I spend?");
  const [sent] = await until("it is answered", async () => (await telegram.sent()).length > 0 && telegram.sent());
  assert.match(JSON.stringify(sent), /28\\*\.10 together/);
  assert.equal((await telegram.sent()).length, 1, "the stranger hears nothing");
  await eve.page.goto(eve.computer);
  await eve.arrived();
});

test("what is said to a computer that sleeps wakes it, and is answered", async () => {
  await until("it sleeps", async () => (await containers())[0].state === "asleep", 120);
  await say("Are you there?", { say: "I am awake again." });
});

test("no page of the tour reported an error", () => eve.assertNoErrors(["Failed to load resource", "WebSocket", "net::ERR"]));
