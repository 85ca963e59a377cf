// The scripted provider of models: the program of the testkit, which speaks the Messages API on the loopback interface.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { screens } from "./platform.mjs";

const KEY = "sk-scripted-provider";

/** One running provider. */
export class Provider {
  static async start() {
    const program = process.env.E2E_SCRIPTED;
    assert.ok(program, "E2E_SCRIPTED is not set; run scripts/test");
    const child = spawn(program, [], { stdio: ["ignore", "pipe", "inherit"], env: { ...process.env, SCRIPTED_MESSAGES_KEY: KEY } });
    const [base] = await once(createInterface(child.stdout), "line");
    return new Provider(child, base);
  }

  constructor(child, base) {
    Object.assign(this, { child, base, key: KEY });
  }

  /** What the platform's configuration says of it. */
  get config() {
    const file = `${screens}/provider.key`;
    writeFileSync(file, KEY);
    chmodSync(file, 0o600);
    return `[ai]\nprovider = "${this.base}"\nkey_file = "${file}"\n`;
  }

  /** Tells it what to answer, in the words of its `orders.rs`. */
  async told(order) {
    const answer = await fetch(`${this.base}/_script`, { method: "POST", body: JSON.stringify(order) });
    assert.ok(answer.ok, await answer.text());
  }

  /** Lets every answer that hangs go on. */
  release = () => fetch(`${this.base}/_release`, { method: "POST" });

  calls = async () => (await fetch(`${this.base}/_requests`)).json();
  forget = () => fetch(`${this.base}/_requests`, { method: "DELETE" });
  standing = async () => (await fetch(`${this.base}/_state`)).json();

  async end() {
    const gone = once(this.child, "exit");
    this.child.kill();
    await gone;
  }
}
