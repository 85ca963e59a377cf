// What stands for services outside, on the loopback interface: programs of the testkit that speak the real protocols.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { screens } from "./platform.mjs";

const KEY = "sk-scripted-provider";

/** Starts a program of the testkit, which says where it listens. */
async function begin(name, options, environment = {}) {
  const programs = process.env.E2E_SCRIPTED;
  assert.ok(programs, "E2E_SCRIPTED is not set; run scripts/test");
  const child = spawn(`${programs}/${name}`, options, { stdio: ["ignore", "pipe", "inherit"], env: { ...process.env, ...environment } });
  const [base] = await once(createInterface(child.stdout), "line");
  return [child, base];
}

async function end(child) {
  const gone = once(child, "exit");
  child.kill();
  await gone;
}

/** One running provider of models. */
export class Provider {
  static async start() {
    return new Provider(...(await begin("scripted-messages", [], { SCRIPTED_MESSAGES_KEY: KEY })));
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

  end = () => end(this.child);
}

/** Telegram, with one bot. */
export class Telegram {
  static async start(token) {
    return new Telegram(token, ...(await begin("scripted-telegram", ["--token", token])));
  }

  constructor(token, child, base) {
    Object.assign(this, { token, child, base });
  }

  get config() {
    return `[channels]\ntelegram_api = "${this.base}"\n`;
  }

  async #told(path, order) {
    const answer = await fetch(`${this.base}${path}`, { method: "POST", body: JSON.stringify({ token: this.token, ...order }) });
    const text = await answer.text();
    assert.ok(answer.ok, text);
    return JSON.parse(text);
  }

  /** Somebody writes to the bot. */
  says = (from, text) => this.#told("/_say", { from, text });

  /** What the bot has said. */
  sent = async () => (await this.#told("/_sent", {})).sent;

  end = () => end(this.child);
}
