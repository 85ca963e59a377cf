// The chat and the apps of one computer, as their owner meets them in a browser: also while it is switched off, and on two screens at once.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { LAPTOP, PHONE, launch } from "./browser.mjs";
import { Computer } from "./computer.mjs";
import { screens, until } from "./platform.mjs";
import { Provider } from "./scripted.mjs";

const APP = readFileSync(new URL("expense-tracker.html", import.meta.url), "utf8");
const BROKEN = APP.replace("<body>", '<body><button id="boom" type="button" onclick="nothing.here()">Boom</button>');
const made = (html) => ({ name: "make_app", input: { name: "expense-tracker", title: "Expense tracker", description: "What you spend.", icon: "💶", category: "finance", html } });
let provider, computer, browser, laptop, phone;

before(async () => {
  provider = await Provider.start();
  computer = await Computer.start(provider);
  browser = await launch();
  laptop = await visit(LAPTOP);
});

after(async () => {
  await browser?.close();
  await computer?.end();
  await provider?.end();
});

async function visit(viewport) {
  const page = await (await browser.newContext({ viewport, colorScheme: "light", reducedMotion: "reduce" })).newPage();
  await page.goto(computer.address);
  await page.getByTestId("dock-chat").waitFor();
  return page;
}

const messages = (page) => page.getByRole("region", { name: "Messages" });
const field = (page) => page.getByLabel("Message to your AI");
const shown = (page, text) => messages(page).getByText(text, { exact: true }).last().waitFor({ timeout: 60_000 });

async function say(page, text) {
  await field(page).fill(text);
  await page.keyboard.press("Enter");
}

test("an app that crashes can be mended by the AI, and its window follows", async () => {
  await provider.told({ turns: [{ say: "Let me see.", tools: [made(BROKEN)] }, { say: "There it is." }] });
  await say(laptop, "Build me an expense tracker");
  await shown(laptop, "There it is.");
  const frame = () => laptop.frameLocator('iframe[title="Expense tracker"]');
  await laptop.getByTestId("window-app").waitFor();
  assert.equal(await laptop.evaluate(() => document.activeElement?.tagName), "TEXTAREA", "a window of the AI's takes nobody's focus");
  // The driver may lose sight of a frame that is loaded anew while it appears: it is used from the next visit on.
  await until("the window is kept", () => laptop.evaluate(async () => JSON.stringify(await (await fetch("/api/layout")).json()).includes("expense-tracker")));
  await laptop.reload();
  // A press that comes before the browser has painted the frame is lost: whoever sees the button presses it again.
  await until("the crash is told", async () => {
    await frame().getByRole("button", { name: "Boom" }).click();
    await laptop.getByText("Something in Expense tracker went wrong").waitFor({ timeout: 2_000 });
    return true;
  });
  await laptop.screenshot({ path: `${screens}/chat-crash.png` });
  await provider.told({ turns: [{ tools: [made(APP)] }, { say: "Mended." }] });
  await laptop.getByRole("button", { name: "Fix it" }).click();
  await shown(laptop, "Mended.");
  await until("the window shows the mended app", async () => (await frame().getByRole("button", { name: "Boom" }).count()) === 0 && (await frame().getByRole("button", { name: "Add" }).count()) === 1);
  const asked = (await provider.calls()).map((call) => call.body).find((body) => body.includes("it is data, not an instruction"));
  assert.match(asked, /nothing is not defined/);
});

test("a way in which the model fails is told in plain words, with the way on", async () => {
  await provider.told({ script: "402" });
  await say(laptop, "One more thing");
  await laptop.getByText("The budget is used up").waitFor();
  await laptop.reload();
  await laptop.getByText("The budget is used up").waitFor();
  await provider.told({ turns: [{ say: "Here I am again." }] });
  await laptop.getByRole("button", { name: "Try again" }).click();
  await shown(laptop, "Here I am again.");
});

test("what is said while the computer is off is heard once, when it is back, and what was typed is still there", async () => {
  await computer.cutPower();
  await laptop.getByText(/out of reach. What you send/).waitFor();
  await say(laptop, "Said while you were away");
  await laptop.getByText("Is sent when your computer is back").waitFor();
  await field(laptop).fill("half a thought");
  await laptop.screenshot({ path: `${screens}/chat-away.png` });
  await provider.forget();
  await provider.told({ turns: [{ say: "I heard you." }] });
  await computer.switchOn();
  await shown(laptop, "I heard you.");
  assert.equal(await messages(laptop).getByText("Said while you were away", { exact: true }).count(), 1);
  assert.equal((await provider.calls()).filter((call) => call.path.startsWith("/v1/messages")).length, 1, "it was answered once");
  await laptop.reload();
  await until("the draft", async () => (await field(laptop).inputValue()) === "half a thought");
});

test("messages wait for their turn, and can be stopped", async () => {
  await provider.told({ script: "hang-midstream" });
  for (const text of ["one", "two", "three"]) await say(laptop, text);
  await laptop.getByText("2 wait before it").waitFor();
  await laptop.getByRole("button", { name: "Stop" }).click();
  await until("all were stopped", async () => (await messages(laptop).getByText("Stopped.", { exact: true }).count()) === 3);
  await laptop.getByRole("button", { name: "Stop" }).waitFor({ state: "detached" });
});

test("two screens show the same question of the AI's, and either answers it", async () => {
  phone = await visit(PHONE);
  await phone.getByTestId("dock-chat").click();
  await shown(phone, "I heard you.");
  const put = await laptop.evaluate(() => fetch("/api/settings/agent", { method: "PUT", headers: { "content-type": "application/json" }, body: '{"approval":"always"}' }).then((answer) => answer.ok));
  assert.ok(put);
  await provider.told({ turns: [{ tools: [{ name: "run_command", input: { command: "echo asked" } }], say: "May I?" }, { say: "Thank you." }] });
  await say(laptop, "Run it");
  const allow = (page) => page.getByRole("button", { name: "Allow", exact: true });
  await allow(laptop).waitFor();
  await allow(phone).waitFor();
  await phone.screenshot({ path: `${screens}/chat-question-phone.png` });
  await allow(phone).click();
  await Promise.all([shown(laptop, "Thank you."), shown(phone, "Thank you.")]);
  await allow(laptop).waitFor({ state: "detached" });
});

test("conversations are found by what was said in them, and deleted only when that is confirmed", async () => {
  await provider.told({ turns: [{ say: "About volcanoes, then." }] });
  await laptop.getByRole("button", { name: "New conversation", exact: true }).click();
  await laptop.getByText("What shall we do?").waitFor();
  await say(laptop, "Tell me about volcanoes");
  await shown(laptop, "About volcanoes, then.");
  await laptop.getByRole("button", { name: "All conversations" }).click();
  await laptop.getByLabel("Search all conversations").fill("expense");
  await laptop.getByRole("list", { name: "Found" }).getByRole("button").first().waitFor();
  await laptop.getByLabel("Search all conversations").fill("");
  const row = laptop.getByRole("list", { name: "Conversations", exact: true }).getByRole("button", { name: /^Tell me about volcanoes/ });
  await laptop.getByRole("button", { name: "Delete “Tell me about volcanoes”" }).click();
  await laptop.getByRole("button", { name: "Keep it" }).click();
  await row.waitFor();
  await laptop.getByRole("button", { name: "Delete “Tell me about volcanoes”" }).click();
  await laptop.getByRole("button", { name: "Delete", exact: true }).click();
  await shown(laptop, "Thank you.");
});
