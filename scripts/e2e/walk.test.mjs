// The main walk: two people sign up side by side, use their computers, cannot reach each other, and keep working while
// the supervisor is restarted under them.
import assert from "node:assert/strict";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { after, before, test } from "node:test";
import { LAPTOP, PHONE, Person, launch } from "./browser.mjs";
import { Supervisor, containers, data, forgetEverything, matrixos, origin, status, takeEverythingDown, until } from "./platform.mjs";

const ID_OF_SEAT = (seat) => 2 ** 20 + seat * 65_536 + 1000;
let supervisor, browser, alice, bob;

before(async () => {
  forgetEverything();
  supervisor = await Supervisor.start();
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await takeEverythingDown(supervisor);
});

/** The status with which the computer's host answers a program that is not a browser. */
const knock = (person, path, cookie) =>
  new Promise((resolve, reject) => {
    const headers = { host: `${person.handle}.localhost:8080`, cookie };
    request({ host: "127.0.0.1", port: 8080, path, headers }, (answer) => resolve(answer.resume().statusCode)).once("error", reject).end();
  });

const container = async (person) => (await containers()).find((c) => c.handle === person.handle);

test("the process that owns the listening sockets is not root and has no capability", () => {
  const { pid } = supervisor;
  assert.notEqual(status(pid, "Uid").split(/\s+/)[0], "0");
  for (const set of ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"]) assert.match(status(pid, set), /^0+$/, set);
  assert.equal(status(pid, "NoNewPrivs"), "1");
});

test("two people sign up side by side and land on their desktops", async () => {
  alice = await Person.arrive(browser, "alice");
  bob = await Person.arrive(browser, "bobby", PHONE);
  await alice.page.goto(origin, { waitUntil: "networkidle" });
  await alice.picture("landing-laptop");
  await bob.page.goto(`${origin}/signup`);
  await bob.picture("signup-phone");
  await Promise.all([alice.signUp(), bob.signUp()]);
  await alice.picture("desktop-laptop");
  await bob.picture("desktop-phone");
});

test("both terminals run commands inside the person's own container", async () => {
  for (const person of [alice, bob]) {
    await person.openTerminal();
    const { code, text } = await person.shell("id -u; hostname; echo $((6*7))");
    assert.equal(code, 0);
    assert.match(text, new RegExp(`1000\\s+${person.handle}\\s+42`));
  }
});

test("everyday programs run within the limits and the system-call filter", async () => {
  const { code, text } = await alice.shell(
    "git init -q repo && git -C repo -c user.name=a -c user.email=a@b commit -q --allow-empty -m first && git -C repo log --oneline | wc -l; " +
      "python3 -c 'import ssl, sqlite3, threading; print(6*7)'; jq -n 1+1; curl --version | head -c 4; bash -c 'sleep 0.1 & wait; echo; echo waited'",
  );
  assert.equal(code, 0);
  for (const word of [/\b1\b/, /\b42\b/, /\b2\b/, /curl/, /waited/]) assert.match(text, word);
});

test("a written file lies on the host, owned by the person's mapped id", async () => {
  await alice.shell("echo 'a note of alice' > note.txt");
  const { seat, pid } = await container(alice);
  // Seen through the container's first process: the home may be a file system that only it has mounted.
  const home = `/proc/${pid}/root/home/matrixos`;
  assert.equal(readFileSync(`${home}/note.txt`, "utf8"), "a note of alice\n");
  assert.equal(statSync(`${home}/note.txt`).uid, ID_OF_SEAT(seat));
  assert.equal(statSync(home).mode & 0o777, 0o700);
  assert.equal(statSync(`${data}/users/alice`).uid, 0, "the way to it belongs to root");
});

test("the file browser and the system window show what is there", async () => {
  await alice.at("dock-files").first().click();
  await alice.page.getByText("note.txt").first().waitFor();
  await alice.at("dock-system").first().click();
  await alice.at("window-system").first().getByText(/256(\.0)? MiB/).first().waitFor();
  await alice.picture("desktop-windows");
  await alice.at("dock-terminal").first().click();
});

test("a disk that is full is told, and can be cleared", async () => {
  const { code, text } = await alice.shell("head -c 3G /dev/zero > big; echo; df -k --output=avail ~ | tail -n 1");
  assert.match(text, /No space left on device|Disk quota exceeded/);
  assert.equal(code, 0);
  await alice.page.getByText(/Your disk is full/).waitFor({ timeout: 30_000 });
  await alice.picture("desktop-disk-full");
  const refused = await alice.page.evaluate(() => fetch("/files/more.txt", { method: "PUT", body: "x".repeat(5_000_000) }).then((a) => a.status));
  assert.equal(refused, 507);
  assert.equal((await alice.shell("rm big && echo fits > note2.txt && cat note2.txt")).code, 0);
  await alice.page.getByText(/Your disk is full/).waitFor({ state: "hidden", timeout: 30_000 });
});

test("a program that takes too much memory is ended, alone, and the owner is told", async () => {
  const before = await container(alice);
  const { text } = await alice.shell("python3 -c 'x = bytearray(600_000_000)'; echo code=$?");
  assert.match(text, /code=137/);
  await alice.page.getByText(/A program was ended: this computer had used up its 256.0 MiB of memory/).waitFor({ timeout: 30_000 });
  await alice.picture("desktop-out-of-memory");
  await alice.page.getByRole("button", { name: "OK", exact: true }).click();
  const after = await container(alice);
  assert.equal(after.pid, before.pid, "the computer itself goes on");
  assert.ok(after.oom_kills > before.oom_kills);
  assert.equal((await container(bob)).oom_kills, 0);
});

test("where the operator has given no key to a model, the AI says so and everything else works", async () => {
  if (!(await bob.at("window-chat").isVisible())) await bob.at("dock-chat").first().click();
  await bob.page.getByLabel("Message to your AI").fill("Are you there?");
  await bob.page.keyboard.press("Enter");
  await bob.page.locator('[data-code="no_key"]', { hasText: "its operator can give it one" }).waitFor();
  await bob.picture("chat-no-key");
});

test("one computer cannot reach another, over HTTP or raw TCP, while its own answers", async () => {
  const { address } = await container(bob);
  const ip = address.replace(/:\d+$/, "");
  const own = await alice.shell("curl -s -o /dev/null -m 5 -w '%{http_code}' http://127.0.0.1:4000/health");
  assert.match(own.text, /200/);
  const host = await fetch(`http://${ip}:4000/health`);
  assert.equal(host.status, 200, "the host does reach it, so the address is right");
  const http = await alice.shell(`curl -s -m 3 http://${ip}:4000/health`);
  assert.notEqual(http.code, 0);
  const tcp = await alice.shell(`timeout 3 bash -c '</dev/tcp/${ip}/4000'`);
  assert.notEqual(tcp.code, 0);
  const gateway = ip.replace(/\.\d+$/, ".1");
  const platform = await alice.shell(`curl -s -m 3 http://${gateway}:8080/health`);
  assert.notEqual(platform.code, 0, "nor the host's own ports");
});

test("a stranger and a signed-out visitor never reach a gateway", async () => {
  await alice.shell("printf 'I collect <b>kites</b>.\\n\\nWrite to me.\\n' >profile.md");
  const stranger = await Person.arrive(browser, "stranger");
  await stranger.page.goto(alice.computer);
  await stranger.page.waitForURL(`${origin}/@alice`);
  await stranger.at("about").waitFor();
  assert.deepEqual(await stranger.at("about").locator("p").allInnerTexts(), ["I collect <b>kites</b>.", "Write to me."]);
  await stranger.picture("profile-laptop");
  for (const path of ["/api/system/info", "/files/note.txt", "/health"]) {
    for (const cookie of ["", "__Host-mx_computer=guess"]) assert.equal(await knock(alice, path, cookie), 401, path);
  }
  await stranger.page.goto(`${origin}/@${bob.handle}`);
  await stranger.page.getByText("Here since").waitFor();
  assert.equal(await stranger.at("about").count(), 0, "who has written nothing is not quoted");
  await bob.page.goto(alice.computer);
  await bob.page.waitForURL(`${origin}/@alice`);
  await bob.page.goto(bob.computer);
  await bob.at("dock-terminal").first().waitFor();
  await stranger.context.close();
});

test("a restart of the supervisor keeps every container, terminal and session", async () => {
  await alice.shell("MARK=still-here");
  const before = await container(alice);
  await supervisor.end();
  assert.doesNotThrow(() => process.kill(before.pid, 0), "the container outlives the supervisor");
  supervisor = await Supervisor.start();
  const after = await container(alice);
  assert.equal(after.pid, before.pid);
  await until("the terminal is connected again", async () => (await alice.shell("echo $MARK")).text.includes("still-here"));
});

test("a killed supervisor is followed by one that adopts the same containers", async () => {
  const before = await container(bob);
  await supervisor.end("SIGKILL");
  supervisor = await Supervisor.start();
  const after = await until("bob's container is adopted", async () => {
    const found = await container(bob);
    return found.state === "running" && found;
  });
  assert.equal(after.pid, before.pid);
});

test("signing out and in again with the passkey leads back to the same computer", async () => {
  await alice.page.goto(`${origin}/account`);
  await alice.picture("account-laptop");
  await alice.at("sign-out").click();
  await alice.page.waitForURL((url) => !url.pathname.startsWith("/account"));
  await alice.page.goto(alice.computer);
  await alice.page.waitForURL(`${origin}/@alice`);
  // A virtual authenticator answers the browser's own offer at once, as if it were picked; here the button is pressed.
  await alice.page.addInitScript(() => globalThis.PublicKeyCredential && (PublicKeyCredential.isConditionalMediationAvailable = async () => false));
  await alice.page.goto(`${origin}/login`);
  await alice.picture("login-laptop");
  await alice.at("use-passkey").click();
  await alice.arrived();
  await alice.openTerminal();
  assert.match((await alice.shell("cat note.txt")).text, /a note of alice/);
});

test("a taken handle and a malformed one are refused with a reason and suggestions", async () => {
  const late = await Person.arrive(browser, "late", LAPTOP);
  await late.page.goto(`${origin}/signup`);
  await late.at("handle-input").fill("alice");
  await until("taken", async () => /not available/i.test(await late.at("handle-status").innerText()));
  await late.at("handle-input").fill("Ä");
  await until("malformed", async () => /lower-case/i.test(await late.at("handle-status").innerText()));
  await late.context.close();
});

test("a start that cannot work says why and what to do", async () => {
  const refused = async (...args) => {
    const error = await matrixos(...args).then(() => assert.fail("it started"), (e) => e);
    return error.stderr;
  };
  assert.match(await refused("serve"), /the platform runs already/);
  assert.match(await refused("serve", "--instance", "e2etwo"), /8080 is in use by another program.*--listen/);
  assert.match(await refused("store", "verify"), /in use by another process/);
  assert.match(await refused("container", "stop", "nobody-here"), /no account "nobody-here"/);
  assert.match(await refused("container", "destroy", "alice"), /add: --confirm alice/);
});

test("the operator is told how the platform is, and what this machine lacks", async () => {
  const told = await matrixos("status");
  assert.match(told, /computers\s+2 of 2 running/);
  assert.match(told, /users are held to their share by: (project quota|one file system image a user)/);
  assert.match(told, /store\s+accepts new accounts/);
  assert.match(await matrixos("doctor"), /ok\s+shares of the disk/);
});

test("the operator stops and starts a computer, and its owner is told", async () => {
  assert.match(await matrixos("container", "stop", "alice"), /alice: stopped/);
  await alice.page.goto(alice.computer);
  await alice.page.waitForURL(`${origin}/account`);
  await alice.page.getByText("The operator stopped it.").waitFor();
  await alice.picture("account-stopped");
  assert.match(await matrixos("container", "start", "alice"), /alice: running/);
  await alice.page.goto(alice.computer);
  await alice.arrived();
  assert.match(await matrixos("container", "logs", "alice"), /serving/);
});

test("no page reported an error", () => {
  // Requests that were under way while the supervisor was restarted do fail, and the pages say so themselves.
  const expected = ["WebSocket", "Failed to load resource", "net::ERR"];
  for (const person of [alice, bob]) person.assertNoErrors(expected);
  writeFileSync(`${process.env.E2E_SCREENS}/done`, "");
});
