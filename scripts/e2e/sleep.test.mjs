// Computers that nobody uses go to rest, and are there again the moment somebody comes.
import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { request } from "node:http";
import { after, before, test } from "node:test";
import { Person, launch } from "./browser.mjs";
import { Supervisor, containers, forgetEverything, group, matrixos, origin, takeEverythingDown, until } from "./platform.mjs";

const CONFIG = "[sleep]\nfreeze_after_seconds = 3\nstop_after_seconds = 12\n";
let supervisor, browser, carol;

before(async () => {
  forgetEverything();
  supervisor = await Supervisor.start(CONFIG);
  browser = await launch();
  carol = await Person.arrive(browser, "carol");
  await carol.signUp();
  await carol.openTerminal();
});

after(async () => {
  await browser?.close();
  await takeEverythingDown(supervisor);
});

const container = async () => (await containers()).find((c) => c.handle === "carol");
const becomes = (state) => until(`the computer is ${state}`, async () => (await container()).state === state && container());
const why = () => matrixos("container", "why", "carol");

/** The supervisor's first child. */
const launcher = () => Number(readFileSync(`/proc/${supervisor.pid}/task/${supervisor.pid}/children`, "utf8").trim().split(" ")[0]);

/** One request to carol's computer by a program with her cookie. */
async function visit(path = "/api/identity") {
  const cookies = await carol.context.cookies(carol.computer);
  const cookie = cookies.map((c) => `${c.name}=${c.value}`).join("; ");
  const headers = { host: "carol.localhost:8080", cookie, "sec-fetch-site": "same-origin" };
  return new Promise((resolve, reject) => {
    const asked = request({ host: "127.0.0.1", port: 8080, path, headers, agent: false }, (answer) => resolve(answer.resume().statusCode));
    asked.once("error", reject).end();
  });
}

test("an unused computer is frozen under its open desktop, and a key pressed there is heard at once", async () => {
  await carol.shell("MARK=still-here");
  const before = await container();
  await becomes("frozen");
  const { text } = await carol.shell("echo $MARK");
  assert.match(text, /still-here/, "the same shell, over the same connection");
  assert.equal((await container()).pid, before.pid);
  assert.match(await why(), /frozen\s+nobody used it for 3 seconds[^]*running\s+data arrived for it/);
});

test("looking at the profile or at an operator's list wakes nobody", async () => {
  await becomes("frozen");
  assert.equal((await fetch(`${origin}/api/profiles/carol`)).status, 200);
  for (let n = 0; n < 5; n++) await containers();
  assert.equal((await container()).state, "frozen");
});

test("a supervisor that is killed meanwhile adopts the frozen computer, and a visit goes on with it", async () => {
  const before = await becomes("frozen");
  await supervisor.end("SIGKILL");
  supervisor = await Supervisor.start(CONFIG);
  assert.equal((await container()).state, "frozen");
  assert.equal(await visit(), 200);
  assert.equal((await container()).pid, before.pid);
});

test("a program at work keeps its computer awake", async () => {
  await carol.shell("(timeout 8 sh -c 'while :; do :; done' &) ; true");
  for (let n = 0; n < 6; n++) {
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    assert.equal((await container()).state, "running", `after ${n + 1} s`);
  }
  await becomes("frozen");
});

test("a computer that is kept awake stays so until it is let go, for no longer than is allowed", async () => {
  const ask = (method, body) =>
    carol.page.evaluate(
      async ([url, method, body]) => {
        const answer = await fetch(url, { method, body, headers: { "content-type": "application/json" } });
        return { status: answer.status, text: await answer.text() };
      },
      [`${origin}/api/computer/awake`, method, body && JSON.stringify(body)],
    );
  await carol.page.goto(`${origin}/account`);
  assert.equal((await ask("POST", { minutes: 5, because: "a long\u0007 build" })).status, 200);
  await new Promise((resolve) => setTimeout(resolve, 5_000));
  assert.equal((await container()).state, "running");
  assert.match(await why(), /kept awake until .*: a long build/);
  const absurd = await ask("POST", { minutes: 525_600, because: "a year" });
  assert.equal(absurd.status, 400);
  assert.match(absurd.text, /1 to 720 minutes/);
  assert.equal((await ask("DELETE")).status, 204);
  await becomes("frozen");
  await carol.page.goto(carol.computer);
  await carol.arrived();
});

/** A request of a program in the computer to the platform. */
const inside = async (method, path, body) =>
  (await carol.shell(`curl -sS -w ' %{http_code}' -X ${method} -H "Authorization: Bearer $ANTHROPIC_API_KEY" -H 'content-type: application/json' -d '${JSON.stringify(body)}' $ANTHROPIC_BASE_URL${path}`)).text;

test("a program keeps its computer awake for as long as it says, and is known by its computer only", async () => {
  assert.match(await inside("POST", "/matrix/awake", { seconds: 600, because: "a backup" }), / 200/);
  await new Promise((resolve) => setTimeout(resolve, 5_000));
  assert.equal((await container()).state, "running");
  assert.match(await why(), /kept awake until .*: a backup/);
  const { text } = await carol.shell("curl -sS -w ' %{http_code}' -X DELETE -H 'x-api-key: guessed' $ANTHROPIC_BASE_URL/matrix/awake");
  assert.match(text.replaceAll("\n", ""), /authentication_error.* 401/);
  assert.match(await inside("DELETE", "/matrix/awake", null), / 204/);
  await becomes("frozen");
});

test("a job wakes its computer in time, from every depth of rest", async () => {
  for (const [depth, ahead] of [["frozen", 9], ["asleep", 20]]) {
    assert.match(await inside("PUT", "/matrix/due", { at: Math.floor(Date.now() / 1_000) + ahead }), / 204/);
    await carol.page.goto("about:blank");
    await becomes(depth);
    await becomes("running");
    assert.match((await why()).trim().split("\n").at(-1), /running\s+a job of it is due/);
    await carol.page.goto(carol.computer);
    await carol.openTerminal();
  }
});

test("in the end it is stopped; its open desktop says so and wakes it with the next key", async () => {
  const before = await container();
  await becomes("asleep");
  await until("its first process is gone", () => !existsSync(`/proc/${before.pid}`));
  await carol.page.getByText("Your computer sleeps. It wakes as soon as you use it.").waitFor({ timeout: 60_000 });
  await carol.picture("desktop-asleep");
  assert.equal((await container()).state, "asleep", "an open page alone does not wake it");
  await carol.page.keyboard.press("Shift");
  await becomes("running");
  await carol.at("dock-terminal").first().click();
  await until("the terminal is there again", async () => (await carol.shell("echo back")).text.includes("back"));
});

test("a thousand requests at once to a sleeping computer start it once, and all are answered", async () => {
  await carol.page.goto("about:blank");
  await becomes("asleep");
  const starts = async () => (await why()).split("\n").filter((line) => / running /.test(line)).length;
  const before = await starts();
  const answers = await Promise.all(Array.from({ length: 1_000 }, () => visit()));
  assert.deepEqual([...new Set(answers)], [200]);
  assert.equal(await starts(), before + 1);
});

test("the operator wakes it with a reason, and one who stopped it is obeyed by every visit", async () => {
  await becomes("asleep");
  assert.match(await matrixos("container", "wake", "carol"), /carol: running/);
  assert.match(await why(), /running\s+the operator woke it/);
  await matrixos("container", "stop", "carol");
  assert.equal(await visit(), 503);
  assert.equal((await container()).state, "stopped");
  await assert.rejects(matrixos("container", "wake", "carol"), /stopped/);
  await matrixos("container", "start", "carol");
  assert.equal(await visit(), 200);
});

test("after a restart, what slept still sleeps", async () => {
  const { pid } = await container();
  await becomes("asleep");
  await until("its first process is gone", () => !existsSync(`/proc/${pid}`));
  await supervisor.end();
  supervisor = await Supervisor.start(CONFIG);
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  assert.equal((await container()).state, "asleep");
  assert.equal(await visit(), 200);
});

test("whichever process dies, the computer is there again, and its history says why", async () => {
  assert.equal(await visit(), 200);
  const gateway = (await container()).pid;
  process.kill(gateway, "SIGKILL");
  await until("it runs again", async () => (await container()).state === "running" && (await container()).pid !== gateway);
  assert.equal(await visit(), 200);
  assert.match(await why(), /broken\s+run: the computer ended by itself/);

  const { pid } = await container();
  process.kill(launcher(), "SIGKILL");
  await until("the platform ends with its launcher", () => supervisor.ended);
  supervisor = await Supervisor.start(CONFIG);
  assert.equal((await container()).pid, pid, "and the next adopts the computer");
  assert.equal(await visit(), 200);
});

test("killed at any moment of resting and waking, the supervisor comes back to one computer that answers", async () => {
  for (let round = 0; round < 12; round++) {
    // From just before the freeze to well into the next wake-up.
    const visits = round % 2 ? visit().catch(() => undefined) : undefined;
    await new Promise((resolve) => setTimeout(resolve, (round * 611) % 4_100));
    await supervisor.end("SIGKILL");
    await visits;
    supervisor = await Supervisor.start(CONFIG);
    assert.equal(await visit(), 200, `round ${round}`);
    const groups = readdirSync(group).filter((name) => existsSync(`${group}/${name}/cgroup.procs`));
    assert.equal(groups.length, 1, `round ${round}: ${groups}`);
  }
});
