// The account pages against the real platform: sign-up with an app, codes, passkeys, sessions, the way out.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { App } from "./account-app.mjs";
import { Owner } from "./account-person.mjs";
import { PHONE, launch } from "./browser.mjs";
import { Supervisor, forgetEverything, matrixos, origin, takeEverythingDown, until } from "./platform.mjs";

let supervisor, browser, carol, dora, phone, app, doraApp, codes;

before(async () => {
  forgetEverything();
  supervisor = await Supervisor.start();
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await takeEverythingDown(supervisor);
});

/** A browser that offers no passkeys in fields. Virtual authenticators answer such an offer at once, as if it were picked. */
const offers = (person, may) => person.context.addInitScript((may) => globalThis.PublicKeyCredential && (PublicKeyCredential.isConditionalMediationAvailable = async () => may), may);
const withoutOffer = (person) => offers(person, false);

async function signOut(person) {
  await person.page.goto(`${origin}/account`);
  await person.at("sign-out").click();
  await person.page.waitForURL(`${origin}/`);
}

async function typeCode(person, handle, code) {
  await person.at("login-handle").fill(handle);
  if (!(await person.at("code-input").isVisible())) await person.at("use-code").click();
  await person.at("code-input").fill(code);
  await person.at("use-code").click();
}

const said = async (person, id, text) => until(`${id} says ${text}`, async () => text.test(await person.at(id).innerText()));

/** Saves the codes on screen: not done before they are ticked, and the file holds what the screen shows. */
async function keepCodes(person) {
  const shown = await person.at("recovery-codes").locator("code").allInnerTexts();
  assert.equal(new Set(shown).size, 10);
  const cut = await person.at("recovery-codes").locator("li").evaluateAll((rows) => rows.filter((row) => row.scrollWidth > row.clientWidth).length);
  assert.equal(cut, 0, "every code can be read");
  await person.at("codes-done").click();
  await person.page.getByText("Save the codes first").waitFor();
  const [file] = await Promise.all([person.page.waitForEvent("download"), person.at("download-codes").click()]);
  const text = readFileSync(await file.path(), "utf8");
  for (const code of shown) assert.ok(text.split("\n").includes(code), "every code stands in the file");
  await person.page.keyboard.press("Escape");
  await person.at("codes-kept").check();
  await person.at("codes-done").click();
  return shown;
}

/** The next request of that kind is answered as if the last proof were long ago; the ones after it reach the platform. */
const askForProof = (person, path) =>
  person.page.route(`${origin}${path}`, (route) => route.fulfill({ status: 403, json: { error: { code: "verify_first", message: "Confirm that it is you." } } }), { times: 1 });

test("somebody without a passkey signs up with an authenticator app and keeps the recovery codes", async () => {
  dora = await Owner.arrive(browser, "dora", PHONE);
  await withoutOffer(dora);
  await dora.page.goto(`${origin}/signup`);
  await dora.at("handle-input").fill("dora");
  await said(dora, "handle-status", /^Available/);
  await dora.at("use-app").click();
  doraApp = new App(await dora.at("app-secret").innerText());
  await dora.picture("account-signup-app-phone");
  await dora.at("code-input").fill(doraApp.wrong());
  await dora.at("confirm-app").click();
  await dora.at("field-wrong").waitFor();
  await dora.at("code-input").fill(await doraApp.code());
  await dora.at("confirm-app").click();
  await dora.at("recovery-codes").waitFor();
  await dora.picture("account-codes-phone");
  await keepCodes(dora);
  await dora.arrived();
});

test("who has one passkey is advised to add another way in, and cannot take the last one away", async () => {
  carol = await Owner.arrive(browser, "carol");
  await carol.signUp();
  await withoutOffer(carol);
  await carol.page.goto(`${origin}/account`);
  await carol.at("one-way-in").waitFor();
  assert.equal(await carol.at("passkey").count(), 1);
  assert.equal(await carol.at("remove-passkey").count(), 0);
});

test("an authenticator app counts once its first code fits, and brings ten recovery codes", async () => {
  await carol.at("set-up-app").click();
  app = new App(await carol.at("app-secret").innerText());
  assert.ok((await carol.page.locator("[data-testid=qr] path").getAttribute("d")).length > 500, "the QR code is drawn");
  await carol.picture("account-set-up-app-laptop");
  await carol.at("code-input").fill(app.wrong());
  await carol.at("confirm-app").click();
  await carol.at("field-wrong").waitFor();
  await carol.at("code-input").fill(await app.code());
  await carol.at("confirm-app").click();
  await carol.at("recovery-codes").waitFor();
  codes = await keepCodes(carol);
  await said(carol, "codes-left", /10 of 10 left/);
  await carol.at("one-way-in").waitFor({ state: "detached" });
});

test("a refused code says nothing about whether the handle exists; a good one signs in, by keyboard alone", async () => {
  await signOut(carol);
  await carol.page.goto(`${origin}/login`);
  await carol.at("use-passkey").waitFor();
  await carol.picture("account-login-laptop");
  const refusal = async (handle) => {
    await carol.page.reload();
    await typeCode(carol, handle, app.wrong());
    await carol.at("field-wrong").waitFor();
    return carol.at("field-wrong").innerText();
  };
  assert.equal(await refusal("carol"), await refusal("nobody-is-called-so"));
  await carol.page.reload();
  await carol.at("use-passkey").focus();
  const { keyboard } = carol.page;
  await keyboard.press("Tab");
  await keyboard.type("carol");
  await keyboard.press("Enter");
  await keyboard.type(await app.code());
  await keyboard.press("Enter");
  await carol.arrived();
});

test("a recovery code signs in once, and the person learns how many are left", async () => {
  await signOut(carol);
  await carol.page.goto(`${origin}/login`);
  await typeCode(carol, "carol", app.wrong());
  await carol.at("other-code").click();
  await carol.at("code-input").fill(codes[0]);
  await carol.at("use-code").click();
  await carol.page.getByText("9 are left").waitFor();
  await carol.at("open-computer").click();
  await carol.arrived();
  await signOut(carol);
  await carol.page.goto(`${origin}/login`);
  await typeCode(carol, "carol", codes[0]);
  await carol.at("field-wrong").waitFor();
});

test("the browser's own offer of the passkey signs in without a press of any button", async () => {
  await offers(carol, true);
  await carol.page.goto(`${origin}/login`);
  await carol.arrived();
  await withoutOffer(carol);
});

test("a second passkey is named, renamed and removed", async () => {
  await carol.page.goto(`${origin}/account`);
  await carol.at("add-passkey").click();
  await carol.at("make-passkey").click();
  await carol.page.getByText("This device already holds a passkey").waitFor();
  await carol.anotherDevice();
  await carol.at("passkey-name").fill("A key in the drawer");
  await carol.at("make-passkey").click();
  await said(carol, "passkeys-said", /A key in the drawer was added/);
  await carol.page.getByRole("button", { name: "Rename A key in the drawer" }).click();
  await carol.at("passkey-name").fill("The key on my ring");
  await carol.at("save-name").click();
  await said(carol, "passkeys-said", /Renamed to The key on my ring/);
  assert.equal(await carol.at("passkey").count(), 2);
  await carol.wholePicture("account-laptop-whole");
  await carol.page.getByRole("button", { name: "Remove Passkey" }).click();
  await carol.at("confirm").click();
  await said(carol, "passkeys-said", /was removed/);
  await until("one passkey is left", async () => (await carol.at("passkey").count()) === 1);
  await until("the focus is not lost with the row", () => carol.page.evaluate(() => document.activeElement !== document.body), 5);
});

test("a dangerous act waits for a proof, and is done once it was given", async () => {
  await askForProof(carol, "/api/recovery-codes");
  await carol.at("new-codes").click();
  await carol.at("confirm").click();
  await carol.at("proof-passkey").waitFor();
  await carol.picture("account-proof-laptop");
  await carol.at("proof-cancel").click();
  assert.equal(await carol.at("recovery-codes").count(), 0, "who does not prove it has changed nothing");
  await askForProof(carol, "/api/recovery-codes");
  await carol.at("confirm").click();
  await carol.at("proof-passkey").click();
  await carol.at("recovery-codes").waitFor();
  const fresh = await keepCodes(carol);
  assert.ok(!fresh.includes(codes[1]));
  codes = fresh;
  await askForProof(carol, "/api/totp/start");
  await carol.at("replace-app").click();
  await carol.at("code-input").fill(await app.code());
  await carol.at("proof-code").click();
  await carol.at("qr").waitFor();
  await carol.at("cancel-app").click();
});

test("a browser that is signed out from another one loses its computer within seconds", async () => {
  phone = await Owner.arrive(browser, "carol", PHONE);
  await withoutOffer(phone);
  await phone.page.goto(`${origin}/login?to=carol`);
  await phone.at("use-code").click();
  await phone.at("code-input").fill(await app.code());
  await phone.at("use-code").click();
  const sockets = [];
  phone.page.on("websocket", (socket) => sockets.push(socket));
  await phone.arrived();
  await phone.openTerminal();
  assert.ok(sockets.length > 0);
  await carol.page.reload();
  await until("two browsers are signed in", async () => (await carol.at("session").count()) === 2);
  await carol.at("end-session").click();
  await said(carol, "sessions-said", /was signed out/);
  const end = Date.now();
  await until("the phone is turned away", async () => (await phone.page.evaluate(() => fetch("/api/system/info").then((answer) => answer.status))) === 401, 5);
  await until("its terminal is closed", () => sockets.every((socket) => socket.isClosed()), 5);
  assert.ok(Date.now() - end < 5_000, "within five seconds");
  await phone.page.goto(`${origin}/account`);
  await phone.page.waitForURL(`${origin}/login`);
});

test("the activity log tells what happened, and shows a stranger's tries", async () => {
  await carol.page.reload();
  const seen = async () => carol.at("event").evaluateAll((rows) => rows.map((row) => row.dataset.what));
  await carol.at("more-events").click();
  const all = await until("the whole log is shown", async () => ((await seen()).length > 6 ? seen() : undefined));
  for (const what of ["signed_up", "sign_in_refused", "totp_set", "recovery_code_used", "passkey_added", "passkey_renamed", "passkey_removed", "recovery_codes_made", "verified", "session_revoked"]) {
    assert.ok(all.includes(what), `${what} is in the log: ${all}`);
  }
});

test("an operator's invitation makes an administrator, once, and leaves no trace in the address", async () => {
  const link = /\S+#invite=\S+/.exec(await matrixos("admin", "invite"))?.[0];
  await carol.page.goto("about:blank");
  await carol.page.goto(link);
  await carol.at("accept-invitation").click();
  await carol.page.getByText("You are an administrator of this platform now.").waitFor();
  assert.equal(carol.page.url(), `${origin}/account`);
  await dora.page.goto(link);
  await dora.at("accept-invitation").click();
  await dora.at("notice").waitFor();
});

test("signing out everywhere ends this browser, too", async () => {
  await dora.page.goto(`${origin}/account`);
  await dora.wholePicture("account-phone-whole");
  await dora.at("sign-out-everywhere").click();
  await dora.at("confirm").click();
  await dora.page.waitForURL(`${origin}/login`);
  await dora.page.goto(`${origin}/account`);
  await dora.page.waitForURL(`${origin}/login`);
});

test("an account is deleted after its handle was typed, and can be kept within the days of grace", async () => {
  await carol.page.goto(`${origin}/account`);
  await carol.at("delete-account").click();
  await carol.at("confirm-handle").fill("dora");
  await carol.at("confirm-delete").click();
  await carol.at("field-wrong").waitFor();
  await carol.at("confirm-handle").fill("carol");
  await carol.at("confirm-delete").click();
  await carol.at("deleting").waitFor();
  await said(carol, "computer-state", /stopp/);
  await carol.picture("account-deleting-laptop");
  assert.equal(await carol.at("delete-account").count(), 0);
  await carol.page.reload();
  await carol.at("keep-account").click();
  await until("the computer runs again", async () => {
    await carol.page.goto(carol.computer);
    return carol.at("dock-terminal").first().isVisible();
  });
});

test("a platform that does not answer is told, with a way to try again", async () => {
  await dora.page.route(`${origin}/api/me`, (route) => route.abort(), { times: 1 });
  await dora.page.goto(`${origin}/account`);
  await dora.at("notice").waitFor();
  await dora.at("load-again").click();
  await dora.page.waitForURL(`${origin}/login`);
});

test("without JavaScript the pages say what is needed", async () => {
  const context = await browser.newContext({ javaScriptEnabled: false, viewport: PHONE });
  const page = await context.newPage();
  for (const path of ["/login", "/signup", "/account"]) {
    await page.goto(`${origin}${path}`);
    assert.match(await page.locator("body").innerText(), /needs JavaScript/);
  }
  await context.close();
});

test("no account page reported an error", () => {
  // Refused codes and missing proofs are answers with an error's status, which the browser notes; the pages tell them themselves.
  for (const person of [carol, dora, phone]) person.assertNoErrors(["Failed to load resource", "WebSocket", "net::ERR"]);
});
