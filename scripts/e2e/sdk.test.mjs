// Programs inside a computer use a model through the platform with the provider's own SDKs, as they are, and pay for it.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, copyFileSync, existsSync, lchownSync, readFileSync, readdirSync, realpathSync, rmSync, statSync, writeFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { Person, launch } from "./browser.mjs";
import { Supervisor, containers, data, forgetEverything, matrixos, origin, screens, takeEverythingDown, until } from "./platform.mjs";
import { Provider } from "./scripted.mjs";

let provider, supervisor, browser, dora, home;

before(async () => {
  forgetEverything();
  provider = await Provider.start();
  supervisor = await Supervisor.start(provider.config);
  browser = await launch();
  dora = await Person.arrive(browser, "dora");
  await dora.signUp();
  await dora.openTerminal();
  // Through the container's first process: the home may be a file system that only it has mounted.
  home = `/proc/${(await containers())[0].pid}/root/home/matrixos`;
  bringSdks();
});

after(async () => {
  await browser?.close();
  await takeEverythingDown(supervisor);
  await provider?.end();
});

/** Puts the SDKs into the home, with a Node.js to run one of them: the image has none. */
function bringSdks() {
  const place = `${home}/sdk`;
  cpSync(process.env.E2E_SDK, place, { recursive: true, verbatimSymlinks: true });
  copyFileSync(realpathSync(process.execPath), `${place}/node`);
  const { uid, gid } = statSync(home);
  const give = (path) => {
    lchownSync(path, uid, gid);
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) for (const name of readdirSync(path)) give(`${path}/${name}`);
  };
  give(place);
}

const PROGRAMS = {
  Python: "PYTHONPATH=~/sdk/python PYTHONWARNINGS=ignore python3 ~/sdk/run.py",
  JavaScript: "~/sdk/node ~/sdk/run.mjs",
};

/** Runs cases inside the computer with the environment that every program there has; the lines that they printed. */
async function run(sdk, ...cases) {
  const out = `${home}/said`;
  rmSync(out, { force: true });
  const ran = dora.shell(`${PROGRAMS[sdk]} ${cases.join(" ")} >~/said 2>~/complained`, 300);
  let ended = false;
  const outcome = ran.finally(() => (ended = true));
  if (cases.includes("sixth")) {
    await until("the sixth call waits", () => ended || (existsSync(out) && readFileSync(out, "utf8").includes("waits_for")), 120);
    await provider.release();
  }
  const { code } = await outcome;
  const lines = readFileSync(out, "utf8").trim().split("\n").map((line) => JSON.parse(line)).filter((line) => !line.waits_for);
  assert.equal(code, 0, `${sdk}: ${JSON.stringify(lines)} ${readFileSync(`${home}/complained`, "utf8")}`);
  assert.deepEqual(lines.map((line) => line.ok), cases.map(() => true), JSON.stringify(lines));
  return lines;
}

const ledger = async () => (await matrixos("ai", "usage", "dora")).trim();
/** Calls that were given up are read to their end, for that is what they cost. */
const settled = () => until("every call is paid for", async () => /, 0 calls in flight$/.test(await ledger()) && ledger(), 120);

for (const sdk of Object.keys(PROGRAMS)) {
  test(`everyday calls of the SDK for ${sdk} work as they are, and are paid for`, async () => {
    const before = await ledger();
    await run(sdk, "plain", "stream", "tool-loop", "count-tokens", "models", "abort");
    assert.notEqual(await settled(), before);
  });

  test(`the SDK for ${sdk} is told of a model without a price and of a key that is not this computer's`, async () => {
    await provider.forget();
    const [model, key] = await run(sdk, "unknown-model", "wrong-key");
    assert.match(model.shown, /no-such-model/);
    assert.match(key.shown, /key/i);
    assert.deepEqual(await provider.calls(), [], "the provider hears nothing of it");
  });

  test(`the sixth call at once of the SDK for ${sdk} waits for its turn`, async () => {
    await run(sdk, "sixth");
  });

  test(`a budget that ends in mid-stream, and one that has ended, are told once to the SDK for ${sdk}`, async () => {
    const [remaining] = /[\d.]+/.exec(await settled());
    await matrixos("ai", "quota", "dora", (5 - Number(remaining) + 0.3).toFixed(2));
    const [ends] = await run(sdk, "budget-ends");
    assert.ok(ends.pieces > 0);
    await settled();
    await matrixos("ai", "quota", "dora", "0.00");
    await provider.forget();
    await run(sdk, "out-of-budget");
    assert.deepEqual(await provider.calls(), []);
    await matrixos("ai", "quota", "dora");
  });
}

/** What a plain call of a program in the computer is answered: the status. */
async function callStatus() {
  const body = JSON.stringify({ model: "claude-sonnet-5-5", max_tokens: 64, messages: [{ role: "user", content: "hello" }] });
  writeFileSync(`${home}/call.json`, body);
  const fields = `-H "x-api-key: $ANTHROPIC_API_KEY" -H "anthropic-version: 2023-06-01" -H "content-type: application/json"`;
  const { text } = await dora.shell(`curl -s -o /dev/null -w 'status=%{http_code}' ${fields} -d @call.json $ANTHROPIC_BASE_URL/v1/messages`);
  return Number(/status=(\d+)/.exec(text)?.[1]);
}

async function atTheAccount() {
  await dora.page.goto(`${origin}/account`);
  await dora.at("ai-remaining").waitFor();
}

async function atTheComputer() {
  await dora.page.goto(dora.computer);
  await dora.page.getByLabel("Terminal input").first().waitFor();
}

/** Presses what may ask for a proof, for she signed in a while ago; gives it, and waits for what is then to be seen. */
async function proven(press, seen) {
  await dora.at(press).click();
  await dora.at(seen).or(dora.at("proof-passkey")).first().waitFor();
  if (await dora.at("proof-passkey").isVisible()) await dora.at("proof-passkey").click();
  await dora.at(seen).waitFor();
}

test("the account page shows what was used, and hands over every call", async () => {
  assert.equal(await callStatus(), 200);
  const [remaining] = /[\d.]+/.exec(await settled());
  await atTheAccount();
  await until("what is left", async () => (await dora.at("ai-remaining").innerText()) === `$${remaining}`);
  assert.match(await dora.at("ai-days").innerText(), /claude-sonnet-5-5[^]* calls? [^]*\$0\.\d/);
  await dora.picture("account-ai");
  const [file] = await Promise.all([dora.page.waitForEvent("download"), dora.at("ai-table").click()]);
  const [header, ...rows] = readFileSync(await file.path(), "utf8").trim().split("\n");
  assert.ok(header.split(",").includes("model") && rows.length > 0, header);
  assert.ok(rows.every((row) => row.split(",").length === header.split(",").length), "every row is whole");
});

test("a key of one's own is used for one's calls, shown to nobody, and can be taken back", async () => {
  const own = "sk-ant-of-doras-own-0123456789abcdefghij";
  await atTheAccount();
  await dora.at("give-key").click();
  await dora.at("key-input").fill("sk no key");
  await proven("save-key", "key-input");
  await until("what is no key is refused in words", async () => (await dora.at("key-input").getAttribute("aria-invalid")) === "true");
  await dora.at("key-input").fill(own);
  await proven("save-key", "own-key");
  assert.ok(!(await dora.page.content()).includes(own));

  await atTheComputer();
  await provider.forget();
  assert.equal(await callStatus(), 401, "this provider does not know it");
  const [call] = await provider.calls();
  assert.equal(new Map(call.headers).get("x-api-key"), own);

  await atTheAccount();
  await dora.at("remove-key").click();
  await dora.page.getByRole("button", { name: "Remove the key" }).click();
  await dora.at("give-key").waitFor();
  await atTheComputer();
  assert.equal(await callStatus(), 200);
});

test("the platform's key is nowhere in the computer, in the log or in the store", async () => {
  const key = readFileSync(/key_file = "(.*)"/.exec(provider.config)[1], "utf8");
  const { text } = await dora.shell("env | grep -c sk-scripted; cat /proc/*/environ 2>/dev/null | grep -ac sk-scripted");
  assert.match(text, /^\s*0\s+0\s*$/);
  const places = `"${home}" "${screens}/supervisor.log" "${data}/store"`;
  assert.equal(execFileSync("sh", ["-c", `grep -rla --exclude-dir=sdk -- "${key}" ${places} || true`], { encoding: "utf8" }), "");
});
