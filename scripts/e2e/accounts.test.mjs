// Accounts in a real browser: what is open ends with its session, and a hostile computer next door can do nothing.
import assert from "node:assert/strict";
import { request } from "node:http";
import { after, before, test } from "node:test";
import { Person, launch } from "./browser.mjs";
import { Supervisor, forgetEverything, matrixos, origin, takeEverythingDown, until } from "./platform.mjs";

let supervisor, browser, alice;

before(async () => {
  forgetEverything();
  supervisor = await Supervisor.start();
  browser = await launch();
  alice = await Person.arrive(browser, "alice");
  await alice.signUp();
});

after(async () => {
  await browser?.close();
  await takeEverythingDown(supervisor);
});

/** Asks the platform from one of its own pages; gives status and answer. */
const ask = (page, method, path, body) =>
  page.evaluate(
    async ([method, path, body]) => {
      const headers = { "content-type": "application/json" };
      const answer = await fetch(path, { method, headers, body: body && JSON.stringify(body) });
      return { status: answer.status, said: await answer.json().catch(() => null) };
    },
    [method, path, body],
  );

/** A second tab of the same browser, on the platform's own pages. */
async function tab(person) {
  const page = await person.context.newPage();
  await page.goto(`${origin}/account`);
  return page;
}

test("a terminal ends within five seconds when its session is revoked from another device", async () => {
  const page = await tab(alice);
  const closed = new Promise((resolve) => alice.page.on("websocket", (socket) => socket.on("close", () => resolve(Date.now()))));
  await alice.openTerminal();
  const { said } = await ask(page, "GET", "/api/sessions");
  assert.equal(said.sessions.length, 1);
  assert.match(said.sessions[0].browser, /Chrome on Linux/);
  const begun = Date.now();
  assert.equal((await ask(page, "DELETE", `/api/sessions/${said.sessions[0].id}`)).status, 204);
  assert.ok((await closed) - begun < 5_000, "the socket is closed");
  assert.equal((await ask(page, "GET", "/api/me")).status, 401);
  assert.deepEqual((await alice.context.cookies(origin)).filter((c) => c.name.startsWith("__Host-mx_")), [], "nothing is left");
  await alice.page.goto(alice.computer);
  await alice.page.waitForURL(`${origin}/@alice`);
  await page.close();
});

test("she signs in again with her passkey and is back at her desktop", async () => {
  // Not on the page for it, which would begin by itself.
  await alice.page.goto(`${origin}/@alice`);
  const { status } = await alice.page.evaluate(async () => {
    const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
    const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
    const post = (path, body) => fetch(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
    const { ceremony, publicKey } = await (await post("/api/login/start", {})).json();
    const made = await navigator.credentials.get({ publicKey: { ...publicKey, challenge: bytes(publicKey.challenge), allowCredentials: [] } });
    const { authenticatorData, clientDataJSON, signature, userHandle } = made.response;
    const response = { authenticatorData: text(authenticatorData), clientDataJSON: text(clientDataJSON), signature: text(signature), userHandle: text(userHandle) };
    const credential = { id: made.id, rawId: text(made.rawId), type: made.type, response, extensions: {} };
    return { status: (await post("/api/login/finish", { ceremony, credential })).status };
  });
  assert.equal(status, 200);
  const back = await tab(alice);
  await back.goto(`${origin}/enter/alice`);
  await back.waitForURL(`${alice.computer}/**`);
  await back.getByTestId("dock-terminal").first().waitFor();
  await back.close();
});

test("a hostile computer next door, in the same browser, can do nothing in her name", async () => {
  // Whoever owns the hostile computer was signed in here before; its pages still load, and alice is signed in now.
  const mallory = await Person.arrive(browser, "mallory");
  await mallory.signUp();
  const page = await tab(mallory);
  const own = (await mallory.context.cookies(mallory.computer)).filter((c) => c.name.startsWith("__Host-mx_computer"));
  assert.equal(own.length, 2);
  await alice.context.addCookies(own.map((cookie) => ({ ...cookie })));
  const evil = await alice.context.newPage();
  await evil.goto(mallory.computer);
  await evil.waitForURL(`${mallory.computer}/**`);
  const tried = await evil.evaluate(
    async ([origin, victim]) => {
      const attempt = (work) => work().then((answer) => (answer.type === "opaque" ? "sent" : String(answer.status)), () => "refused");
      for (const name of ["__Host-mx_session", "__Host-mx_refresh"]) {
        document.cookie = `${name}=evil; Domain=localhost; Path=/; Secure`;
        document.cookie = `${name}=evil; Path=/; Secure`;
      }
      const socket = (url) =>
        new Promise((resolve) => {
          const made = new WebSocket(url);
          made.onopen = () => resolve("open");
          made.onerror = () => resolve("refused");
        });
      const blind = { method: "POST", mode: "no-cors", credentials: "include" };
      return {
        logout: await attempt(() => fetch(`${origin}/api/logout`, blind)),
        revoke: await attempt(() => fetch(`${origin}/api/sessions/revoke-all`, blind)),
        remove: await attempt(() => fetch(`${origin}/api/totp`, { method: "DELETE", credentials: "include" })),
        read: await attempt(() => fetch(`${origin}/api/me`, { credentials: "include" })),
        write: await attempt(() => fetch(`${victim}/api/files/mkdir`, blind)),
        socket: await socket(`${victim.replace("http", "ws")}/ws/terminal`),
      };
    },
    [origin, alice.computer],
  );
  assert.deepEqual({ ...tried, logout: "", revoke: "", write: "" }, { logout: "", revoke: "", remove: "refused", read: "refused", write: "", socket: "refused" });
  const there = await tab(alice);
  const { status, said } = await ask(there, "GET", "/api/me");
  assert.deepEqual([status, said.handle], [200, "alice"], "she is signed in, as herself");
  const platform = await alice.context.cookies(origin);
  assert.equal(platform.filter((c) => c.name.startsWith("__Host-mx_") && c.value === "evil").length, 0, "no cookie was tossed");
  await there.goto(`${origin}/enter/alice?path=//evil.example/`);
  await there.waitForURL(`${alice.computer}/**`);
  await Promise.all([evil.close(), there.close(), page.close()]);
  await mallory.context.close();
});

test("a way into a computer that was made for another browser leads nobody in", async () => {
  const mallory = await Person.arrive(browser, "mallory2");
  await mallory.signUp();
  // The last step of mallory's own way in, kept instead of gone.
  const held = (await mallory.context.cookies(origin)).map((c) => `${c.name}=${c.value}`).join("; ");
  const link = await new Promise((resolve, reject) => {
    const headers = { host: "localhost:8080", cookie: held };
    const path = "/enter/mallory2?path=/&state=mallorys";
    request({ host: "127.0.0.1", port: 8080, path, headers }, (answer) => resolve(answer.resume().headers.location)).once("error", reject).end();
  });
  const victim = await alice.context.newPage();
  await victim.goto(link);
  await victim.waitForURL(`${origin}/@mallory2`);
  const cookies = await alice.context.cookies(mallory.computer);
  assert.equal(cookies.filter((c) => c.name.startsWith("__Host-mx_computer")).length, 0);
  await victim.close();
  await mallory.context.close();
});

test("the operator reads what happened, and invites an administrator", async () => {
  const events = (await matrixos("audit", "--handle", "alice")).trim().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(events.map((e) => e.what).filter((w) => w !== "signed_in"), ["session_revoked", "signed_up"]);
  const invitation = (await matrixos("admin", "invite")).trim();
  assert.ok(invitation.startsWith(`${origin}/account#invite=`), invitation);
  const page = await tab(alice);
  assert.equal((await ask(page, "GET", "/api/admin/audit")).status, 403);
  assert.equal((await ask(page, "POST", "/api/admin/claim", { token: invitation.split("=")[1] })).status, 204);
  const all = await until("she is an administrator", async () => {
    const { status, said } = await ask(page, "GET", "/api/admin/audit");
    return status === 200 && said.events;
  });
  assert.equal(all[0].what, "admin_granted");
  assert.equal((await matrixos("admin", "list")).trim(), "alice");
  await page.close();
});
