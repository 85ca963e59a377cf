// Computers below a domain of their own, in a real browser: the platform is https://matrix.test, the computers are
// https://{handle}.matrix-users.test, and the browser itself keeps the two apart.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Owner } from "./account-person.mjs";
import { inFront, launchTrusting, sender, serveAs } from "./account-tls.mjs";
import { forgetEverything, takeEverythingDown, until } from "./platform.mjs";

const host = "matrix.test";
const users = "matrix-users.test";
const origin = `https://${host}`;
const evil = `https://evil.${users}`;
const send = sender(host);
let supervisor, front, browser, owner;

before(async () => {
  forgetEverything();
  supervisor = await serveAs(host, "--user-domain", users);
  front = await inFront(host, 8080, users);
  browser = await launchTrusting(front);
  owner = await Owner.arrive(browser, "olive");
  owner.computer = `https://olive.${users}`;
});

after(async () => {
  await browser?.close();
  front?.close();
  await takeEverythingDown(supervisor);
});

test("a person signs up on the platform and arrives at a computer below the other domain", async () => {
  await owner.page.goto(`${origin}/signup`);
  await owner.at("handle-input").fill("olive");
  await until("the page says where the computer will live", async () => (await owner.at("handle-status").innerText()).includes(`olive.${users}`));
  await owner.at("create-computer").click();
  await owner.arrived();
  await owner.openTerminal();
  assert.equal((await owner.shell("echo $MATRIX_HANDLE.$MATRIX_DOMAIN")).text.trim(), `olive.${users}`, "what the computer calls itself");
  // The account page leads there, too, and signing in again does.
  // Chromium gives up what is under way when a link of the machine changes, as the computer's just did.
  await until("the account page shows the computer", async () => {
    await owner.page.goto(`${origin}/account`);
    return owner.at("open-computer").waitFor({ timeout: 5_000 }).then(() => true);
  });
  await owner.at("open-computer").click();
  await owner.arrived();
});

test("names of one domain are served below it and nowhere else, and each says to come by https only", async () => {
  for (const [name, status] of [[`olive.${host}`, 421], [users, 421], [`a.olive.${users}`, 421], [host, 200], [`olive.${users}`, 401]]) {
    const answer = await send("GET", "/", { host: name });
    assert.equal(answer.status, status, name);
    if (status !== 421) assert.equal(answer.headers["strict-transport-security"], "max-age=63072000; includeSubDomains", name);
  }
});

test("to the browser a neighbour's page is of another site than the platform: not even a cookie goes along", async () => {
  await owner.page.goto(evil);
  await owner.page.evaluate((url) => fetch(url, { mode: "no-cors", credentials: "include" }).then(() => true, () => true), `${origin}/api/me?neighbour`);
  const sent = await until("the request is there", () => front.heads.find((head) => head.startsWith("GET /api/me?neighbour ")));
  assert.match(sent, /sec-fetch-site: cross-site/i);
  assert.doesNotMatch(sent, /cookie:/i);
});

test("a neighbour's page cannot even ask for the platform's passkeys, and opens no terminal", async () => {
  const told = await owner.page.evaluate(async ([rpId, url]) => {
    const publicKey = { challenge: new Uint8Array(32), rpId, userVerification: "required" };
    const asked = await navigator.credentials.get({ publicKey }).then(() => "answered", (error) => error.name);
    const socket = await new Promise((told) => {
      const opening = new WebSocket(url);
      opening.onopen = () => told("open");
      opening.onerror = () => told("refused");
    });
    return { asked, socket };
  }, [host, `wss://olive.${users}/ws/terminal`]);
  assert.deepEqual(told, { asked: "SecurityError", socket: "refused" });
});

test("signing out on the platform closes the computer below the other domain", async () => {
  // Not from the account page, which would go on to the login page, where the device signs in again by itself.
  await owner.page.goto(`${origin}/@olive`);
  assert.equal(await owner.page.evaluate(() => fetch("/api/logout", { method: "POST", headers: { "content-type": "application/json" }, body: "{}" }).then((answer) => answer.status)), 204);
  await owner.page.goto(owner.computer);
  await owner.page.waitForURL(`${origin}/@olive`);
});
