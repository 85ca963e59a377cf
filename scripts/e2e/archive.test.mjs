// A computer that nobody uses for long is packed away and comes back with its files; everything that one has can be taken
// along at any time.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from "node:fs";
import { after, before, test } from "node:test";
import { Owner } from "./account-person.mjs";
import { PHONE, launch } from "./browser.mjs";
import { Supervisor, containers, data, forgetEverything, matrixos, origin, screens, takeEverythingDown, until } from "./platform.mjs";

const CONFIG = "[sleep]\nfreeze_after_seconds = 2\nstop_after_seconds = 4\narchive_after_seconds = 4\n";
const own = `${data}/users/carol`;
let supervisor, browser, carol;

before(async () => {
  forgetEverything();
  supervisor = await Supervisor.start(CONFIG);
  browser = await launch();
  carol = await Owner.arrive(browser, "carol");
  await carol.signUp();
  await carol.openTerminal();
  await carol.shell("mkdir -p deep/er; echo precious >deep/er/note; ln deep/er/note again; ln -s /etc/passwd link; head -c 3000000 /dev/urandom >big; sha256sum big >sum");
});

after(async () => {
  await browser?.close();
  await takeEverythingDown(supervisor);
});

const container = async () => (await containers()).find((c) => c.handle === "carol");
const becomes = (state) => until(`the computer is ${state}`, async () => (await container()).state === state && container());
const why = () => matrixos("container", "why", "carol");

/** Nobody looks at it until it is packed away. */
async function archived() {
  await carol.page.goto("about:blank");
  await becomes("archived");
}

/** Opens the computer and looks whether everything is there. */
async function isAsItWas() {
  await carol.page.goto(carol.computer);
  await carol.arrived();
  await carol.openTerminal();
  const { text } = await carol.shell("cat deep/er/note; readlink link; [ again -ef deep/er/note ] && echo same; sha256sum -c sum");
  assert.match(text, /precious\s[^]*\/etc\/passwd\s[^]*same\s[^]*big: OK/);
}

/** What is in a downloaded file, unpacked. */
function opened(file) {
  const place = mkdtempSync(`${screens}/opened-`);
  execFileSync("tar", ["-xzf", file, "-C", place]);
  return place;
}

function holdsEverything(file) {
  const place = opened(file);
  assert.equal(readFileSync(`${place}/home/deep/er/note`, "utf8"), "precious\n");
  assert.match(execFileSync("sha256sum", ["-c", "sum"], { cwd: `${place}/home`, encoding: "utf8" }), /big: OK/);
  const account = JSON.parse(readFileSync(`${place}/account.json`, "utf8"));
  assert.equal(account.handle, "carol");
  assert.equal(account.passkeys.length, 1);
  assert.ok(account.computer.history.length > 0 && account.events.length > 0);
  rmSync(place, { recursive: true });
}

async function download() {
  const [file] = await Promise.all([carol.page.waitForEvent("download"), carol.at("download-everything").first().click()]);
  assert.equal(await file.failure(), null);
  return { path: await file.path(), name: file.suggestedFilename() };
}

test("a computer that has slept for long is packed into one file", async () => {
  await archived();
  assert.deepEqual(readdirSync(own), ["archive.tar.zst"]);
  assert.ok(statSync(`${own}/archive.tar.zst`).size > 3_000_000);
  assert.match(await why(), /asleep\s+nobody used it for 4 seconds[^]*archived\s+nobody used it for 4 seconds/);
  assert.match(await matrixos("container", "list"), /carol\s+archived/);
  assert.match(await matrixos("status"), /0 of 1 running, 1 archived/);
  assert.equal((await fetch(`${origin}/api/profiles/carol`)).status, 200);
});

test("its owner can take everything along while it is packed away, which wakes nobody", async () => {
  await carol.page.goto(`${origin}/account`);
  await until("the page says so", async () => (await carol.at("computer-state").innerText()) === "asleep, files packed");
  const { path, name } = await download();
  assert.match(name, /^matrixos-carol-\d{4}-\d\d-\d\d\.tar\.gz$/);
  holdsEverything(path);
  assert.equal((await container()).state, "archived");
  await carol.page.reload();
  await carol.page.getByText("Everything was downloaded").waitFor();
  await carol.wholePicture("account-laptop-archived");
});

test("it comes back with everything in it, and its history says why", async () => {
  await isAsItWas();
  assert.ok(!existsSync(`${own}/archive.tar.zst`));
  assert.match(await why(), /archived[^]*unpacked\s+somebody came[^]*running\s+somebody came/);
});

test("a download of a computer that runs is as whole, and the deletion offers it first", async () => {
  await carol.page.goto(`${origin}/account`);
  holdsEverything((await download()).path);
  await carol.at("delete-account").click();
  await carol.picture("account-delete-laptop");
  const [file] = await Promise.all([carol.page.waitForEvent("download"), carol.at("dialog").getByTestId("download-everything").click()]);
  holdsEverything(await file.path());
  await carol.page.setViewportSize(PHONE);
  await carol.picture("account-delete-phone");
  await carol.page.keyboard.press("Escape");
  await carol.wholePicture("account-phone-data");
  await carol.page.setViewportSize({ width: 1440, height: 900 });
});

test("a download waits for a proof if the last one is long ago", async () => {
  await carol.page.route(`${origin}/api/account/export?check=true`, (route) => route.fulfill({ status: 403, contentType: "application/json", body: JSON.stringify({ error: { code: "verify_first", message: "" } }) }), { times: 1 });
  await carol.at("download-everything").first().click();
  const [file] = await Promise.all([carol.page.waitForEvent("download"), carol.at("proof-passkey").click()]);
  assert.equal(await file.failure(), null);
});

test("a neighbour's page cannot begin a download", async () => {
  const downloads = [];
  carol.page.on("download", (file) => downloads.push(file));
  await carol.page.goto(`${origin}/account`);
  const may = () => carol.page.evaluate((url) => fetch(url).then((answer) => answer.status), `${origin}/api/account/export?check=true`);
  assert.equal(await may(), 204, "the platform's own page may");
  const other = await carol.context.newPage();
  await other.route("http://evil.localhost:8080/", (route) => route.fulfill({ contentType: "text/html", body: `<a id="go" href="${origin}/api/account/export">go</a>` }));
  await other.goto("http://evil.localhost:8080/");
  const led = other.waitForResponse((response) => response.url().endsWith("/api/account/export"));
  await other.click("#go");
  assert.equal((await led).status(), 403);
  assert.deepEqual(downloads, []);
  await other.close();
});

test("the operator can write it into a new file, and its owner sees that", async () => {
  const file = `${screens}/carol.tar.gz`;
  rmSync(file, { force: true });
  assert.match(await matrixos("account", "export", "carol", file), /carol: .*MiB in/);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  holdsEverything(file);
  await assert.rejects(matrixos("account", "export", "carol", file), /cannot make the file/);
  await assert.rejects(matrixos("account", "export", "nobody", `${file}.2`), /no account/);
  assert.ok(!existsSync(`${file}.2`));
  await carol.page.goto(`${origin}/account`);
  await carol.page.getByText("by the operator").first().waitFor();
});

test("packed away before a restart, it is so afterwards, and one that was stopped is packed as well", async () => {
  await archived();
  await supervisor.end();
  supervisor = await Supervisor.start(CONFIG);
  await becomes("archived");
  await isAsItWas();
  await matrixos("container", "stop", "carol");
  await until("it is packed", () => existsSync(`${own}/archive.tar.zst`));
  await until("it says so", async () => /archived\s+it was stopped for 4 seconds/.test(await why()));
  assert.equal((await container()).state, "stopped");
  assert.match(await matrixos("container", "start", "carol"), /carol: running/);
  await isAsItWas();
});

test("killed at any moment of packing and unpacking, the platform comes back to a computer with all of its files", async () => {
  for (let round = 0; round < 4; round++) {
    await carol.page.goto("about:blank");
    await becomes("asleep");
    // Packing begins four seconds after it fell asleep.
    await new Promise((resolve) => setTimeout(resolve, 3_700 + round * 130));
    await supervisor.end("SIGKILL");
    supervisor = await Supervisor.start(CONFIG);
    await becomes("archived");
    const coming = carol.page.goto(carol.computer).catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, round * 60));
    await supervisor.end("SIGKILL");
    await coming;
    supervisor = await Supervisor.start(CONFIG);
    await isAsItWas();
  }
});

test("no page reported an error", () => carol.assertNoErrors(["Failed to load resource", "WebSocket", "net::ERR"]));
