// A hostile page on a sibling's subdomain, in the browser of somebody who is signed in. The platform is served as
// https://matrix.test, so that a browser takes it and `evil.matrix.test` for one site and sends cookies between them:
// what then holds is not SameSite but the origin.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Owner } from "./account-person.mjs";
import { inFront, launchTrusting, sender, serveAs } from "./account-tls.mjs";
import { forgetEverything, takeEverythingDown, until } from "./platform.mjs";

const host = "matrix.test";
const origin = `https://${host}`;
const evil = `https://evil.${host}`;
let supervisor, front, browser, victim, page;

const send = sender(host);
const asThePlatform = { origin, "sec-fetch-site": "same-origin" };

before(async () => {
  forgetEverything();
  supervisor = await serveAs(host);
  front = await inFront(host, 8080);
  browser = await launchTrusting(front);
  victim = await Owner.arrive(browser, "victim");
  victim.computer = `https://victim.${host}`;
  await victim.page.goto(`${origin}/signup`);
  await victim.at("handle-input").fill("victim");
  await until("the handle is free", async () => /^Available/.test(await victim.at("handle-status").innerText()));
  await victim.at("create-computer").click();
  await victim.arrived();
  page = await victim.context.newPage();
  // Chromium gives up what is under way when a link of the machine changes, as the computer's just did.
  await new Promise((resolve) => setTimeout(resolve, 3_000));
});

after(async () => {
  await browser?.close();
  front?.close();
  await takeEverythingDown(supervisor);
});

const signedIn = () => victim.page.evaluate(() => fetch("/api/me").then((answer) => answer.status));

test("the browser takes both for one site, so that the tests below mean something", async () => {
  await page.goto(evil);
  await victim.page.goto(`${origin}/account`);
  assert.equal(await signedIn(), 200);
  await page.evaluate((url) => fetch(url, { mode: "no-cors", credentials: "include" }).then(() => true), `${origin}/api/me?neighbour`);
  const sent = front.heads.find((head) => head.startsWith("GET /api/me?neighbour "));
  assert.match(sent, /sec-fetch-site: same-site/i);
  assert.match(sent, /cookie: .*__Host-mx_session=/i);
});

test("a neighbour's page can neither act for the person nor read about them", async () => {
  const told = await page.evaluate(async (origin) => {
    const sent = ["/api/logout", "/api/sessions/revoke-all", "/api/account/delete", "/api/computer/start"].map((path) =>
      fetch(origin + path, { method: "POST", mode: "no-cors", credentials: "include", headers: { "content-type": "text/plain" }, body: '{"confirm":"victim"}' }),
    );
    await Promise.all(sent);
    const read = await fetch(`${origin}/api/me`, { credentials: "include" }).then((answer) => answer.text(), (error) => error.name);
    const plain = await fetch(`${origin}/api/sessions/revoke-all`, { method: "POST", credentials: "include", headers: { "content-type": "application/json" }, body: "{}" }).then(() => "sent", (error) => error.name);
    return { read, plain };
  }, origin);
  assert.deepEqual(told, { read: "TypeError", plain: "TypeError" });
  await page.setContent(`<form method="post" enctype="text/plain" action="${origin}/api/sessions/revoke-all"><input name='{"a":"' value='"}'></form>`);
  const [answer] = await Promise.all([page.waitForResponse(`${origin}/api/sessions/revoke-all`), page.evaluate(() => document.forms[0].submit())]);
  assert.equal(answer.status(), 403);
  assert.equal(await signedIn(), 200);
  const { events } = await victim.page.evaluate(() => fetch("/api/audit").then((found) => found.json()));
  assert.deepEqual(events.map(({ what }) => what), ["signed_up"]);
});

test("a neighbour's page can set no cookie that the platform would take", async () => {
  const names = (await victim.context.cookies(origin)).map(({ name }) => name);
  assert.ok(names.length >= 2);
  await page.goto(evil);
  await page.evaluate((names) => {
    for (const name of names) {
      for (const where of ["; domain=matrix.test; path=/", "; domain=matrix.test; path=/; secure", "; domain=matrix.test; path=/api; secure"]) document.cookie = `${name}=evil${where}`;
    }
  }, names);
  const cookies = await victim.context.cookies(origin);
  assert.deepEqual(cookies.filter(({ value, domain }) => value === "evil" || domain.startsWith(".")), []);
  assert.equal(await signedIn(), 200);
});

test("a passkey's answer that was made on a neighbour's page opens nothing", async () => {
  const start = async () => (await send("POST", "/api/login/start", { body: {}, headers: asThePlatform })).body;
  const answerOn = (where, publicKey) =>
    where.evaluate(async (json) => {
      const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(json);
      return (await navigator.credentials.get({ publicKey })).toJSON();
    }, publicKey.publicKey ?? publicKey);
  await page.close();
  // The victim's own tab is where their device answers.
  const own = await start();
  const good = await send("POST", "/api/login/finish", { body: { ceremony: own.ceremony, credential: await answerOn(victim.page, own.publicKey) }, headers: asThePlatform });
  assert.equal(good.status, 200, "made on the platform's own page it does");
  await victim.page.goto(evil);
  const stolen = await start();
  const credential = await answerOn(victim.page, stolen.publicKey);
  assert.equal(JSON.parse(Buffer.from(credential.response.clientDataJSON, "base64url")).origin, evil, "the browser lets a sibling use the platform's name");
  const bad = await send("POST", "/api/login/finish", { body: { ceremony: stolen.ceremony, credential }, headers: asThePlatform });
  assert.equal(bad.status, 400);
  assert.equal(bad.body.error.code, "passkey_rejected");
});

test("a neighbour's page opens no terminal of the person's computer", async () => {
  const open = (url) =>
    victim.page.evaluate((url) => new Promise((told) => {
      const socket = new WebSocket(url);
      socket.onopen = () => told("open");
      socket.onerror = () => told("refused");
    }), url);
  const url = `wss://victim.${host}/ws/terminal`;
  await victim.page.goto(evil);
  assert.equal(await open(url), "refused");
  await victim.page.goto(victim.computer);
  await victim.at("dock-terminal").first().waitFor();
  assert.equal(await open(url), "open", "the computer's own page does");
});

test("the platform's pages are shown in nobody's frame, and no link of the platform leads to a neighbour", async () => {
  await victim.page.goto(evil);
  await victim.page.setContent(`<iframe src="${origin}/account"></iframe>`);
  await until("the frame shows the browser's own refusal", () => victim.page.frames().some((frame) => frame.url().startsWith("chrome-error://")), 10);
  for (const path of ["/enter/evil", `/login?to=${encodeURIComponent(evil)}`, "/login?to=//evil.matrix.test", "//evil.matrix.test/"]) {
    await victim.page.goto(origin + path);
    await victim.page.waitForLoadState("networkidle");
    assert.ok(!new URL(victim.page.url()).host.startsWith("evil"), path);
  }
});
