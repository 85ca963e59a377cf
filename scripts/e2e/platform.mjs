// The platform under test: the real program, started, stopped, killed and asked, in this network namespace.
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { createWriteStream, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { once } from "node:events";
import { promisify } from "node:util";

const run = promisify(execFile);

export const data = must("E2E_DATA");
export const screens = must("E2E_SCREENS");
export const origin = "http://localhost:8080";
const program = must("E2E_PROGRAM");
export const instance = process.env.E2E_INSTANCE ?? "e2e";

/** The control group of all containers, in one of the hierarchies. */
export const group = existsSync("/sys/fs/cgroup/cgroup.controllers") ? `/sys/fs/cgroup/${instance}` : `/sys/fs/cgroup/memory/${instance}`;

function must(name) {
  const value = process.env[name];
  assert.ok(value, `${name} is not set; run scripts/test`);
  return value;
}

/** Runs one `matrixos` command and returns what it printed. */
export async function matrixos(...args) {
  const named = args.includes("--instance") ? [] : ["--instance", instance];
  const { stdout } = await run(program, ["--data", data, ...named, ...args]);
  return stdout;
}

/** Everything `matrixos container list` knows, as objects. */
export const containers = async () => JSON.parse(await matrixos("container", "list", "--json"));

/** Removes what an earlier run left of accounts and files; the images stay. */
export function forgetEverything() {
  for (const place of ["store", "keys", "users"]) rmSync(`${data}/${place}`, { recursive: true, force: true });
}

/** Waits until `probe` returns something truthy, and returns that. */
export async function until(what, probe, seconds = 60) {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    try {
      const value = await probe();
      if (value) return value;
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
    assert.ok(Date.now() < deadline, `waited ${seconds} s in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** One running supervisor. */
export class Supervisor {
  /** `config` is the text of a configuration file. */
  static async start(config = "") {
    const file = `${screens}/matrixos.toml`;
    writeFileSync(file, config);
    const child = spawn(program, ["--config", file, "--data", data, "--instance", instance, "serve"], { stdio: ["ignore", "ignore", "pipe"] });
    const supervisor = new Supervisor(child);
    child.stderr.pipe(createWriteStream(`${screens}/supervisor.log`, { flags: "a" }));
    child.once("exit", () => (supervisor.ended = true));
    await until("the platform answers", async () => {
      assert.ok(!supervisor.ended, `the supervisor ended; see ${screens}/supervisor.log`);
      return (await fetch(`${origin}/health`)).ok;
    });
    return supervisor;
  }

  constructor(child) {
    this.child = child;
    this.pid = child.pid;
    this.ended = false;
  }

  /** Ends it by a signal and waits for its end. Containers go on. */
  async end(signal = "SIGTERM") {
    if (this.ended) return;
    const gone = once(this.child, "exit");
    this.child.kill(signal);
    await gone;
  }
}

/** A field of /proc/PID/status. */
export function status(pid, field) {
  const line = readFileSync(`/proc/${pid}/status`, "utf8").split("\n").find((l) => l.startsWith(`${field}:`));
  return line?.slice(field.length + 1).trim();
}

/** Takes down every container, so that nothing outlives the tests. */
export async function takeEverythingDown(supervisor) {
  if (!supervisor || supervisor.ended) return;
  for (const { handle } of await containers()) await matrixos("container", "destroy", handle, "--confirm", handle);
  await until("all containers are gone", async () => (await containers()).length === 0);
  await supervisor.end();
  assert.ok(!existsSync(`/sys/fs/cgroup/memory/${instance}`) || readFileSync(`/sys/fs/cgroup/memory/${instance}/cgroup.procs`, "utf8") === "");
}
