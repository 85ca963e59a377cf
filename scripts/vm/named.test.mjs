// The computer by its own name, with Caddy before it: the padlock, the way from http, the cookie, and the connection at work.
import assert from "node:assert/strict";
import { createHash, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { after, afterEach, before, test } from "node:test";
import { chromium } from "playwright-core";

const { SINGLE_NAME: name, SINGLE_AUTHORITY: authority, SINGLE_PORTS: ports, SINGLE_TOKEN: token, SINGLE_PROVIDER: provider, SINGLE_SCREENS: screens } = process.env;
// Software emulation takes its time.
const PATIENCE = 120_000;
let browser, context, page;

before(async () => {
  const [plain, tls] = ports.split(" ");
  const key = new X509Certificate(readFileSync(authority)).publicKey.export({ type: "spki", format: "der" });
  const pin = createHash("sha256").update(key).digest("base64");
  browser = await chromium.launch({
    executablePath: "/usr/bin/chromium",
    headless: true,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", `--host-resolver-rules=MAP ${name}:80 127.0.0.1:${plain}, MAP ${name}:443 127.0.0.1:${tls}`, `--ignore-certificate-errors-spki-list=${pin}`],
  });
  context = await browser.newContext({ viewport: { width: 1440, height: 900 }, colorScheme: "light", reducedMotion: "reduce" });
  context.setDefaultTimeout(PATIENCE);
  page = await context.newPage();
});
after(() => browser?.close());
afterEach(async (t) => {
  if (t.passed === false) await page.screenshot({ path: `${screens}/named-failed.png` });
});

test("who comes by http is led to https, signs in, and has a cookie for https only", async () => {
  await page.goto(`http://${name}/`, { timeout: PATIENCE });
  assert.equal(page.url(), `https://${name}/`);
  assert.deepEqual(await context.cookies(), []);
  await page.getByLabel("Token").fill(token);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByLabel("Message to your AI").waitFor();
  const [cookie, ...others] = await context.cookies();
  assert.deepEqual([cookie.name, cookie.domain, cookie.secure, cookie.httpOnly, cookie.sameSite, others], ["__Host-matrixos-computer", name, true, true, "Strict", []]);
});

test("the AI answers over the connection at work", async () => {
  const opened = page.waitForEvent("websocket", { predicate: (socket) => socket.url().startsWith(`wss://${name}/`), timeout: PATIENCE });
  await page.reload();
  const socket = await opened;
  await page.getByLabel("Message to your AI").waitFor();
  const turns = [{ say: "I am here by name." }];
  const told = await fetch(`${provider}/_script`, { method: "POST", body: JSON.stringify({ turns }) });
  assert.ok(told.ok, await told.text());
  const ended = socket.waitForEvent("framereceived", { predicate: ({ payload }) => String(payload).includes('"kernel:result"'), timeout: PATIENCE });
  await page.getByLabel("Message to your AI").fill("Are you there?");
  await page.getByLabel("Message to your AI").press("Enter");
  await page.getByTestId("answer").filter({ hasText: "I am here by name." }).waitFor();
  assert.equal(JSON.parse((await ended).payload).text, "I am here by name.");
});
