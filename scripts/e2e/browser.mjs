// People: each a browser context of their own with a virtual authenticator, so that passkeys are really made and used.
import { chromium } from "playwright-core";
import assert from "node:assert/strict";
import { origin, screens, until } from "./platform.mjs";

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export const launch = (flags = []) => chromium.launch({ executablePath: "/usr/bin/chromium", headless: true, args: [...FLAGS, ...flags] });

export const LAPTOP = { width: 1440, height: 900 };
export const PHONE = { width: 390, height: 844 };

/** A person with a browser. */
export class Person {
  static async arrive(browser, handle, viewport = LAPTOP) {
    const context = await browser.newContext({ viewport, colorScheme: "light", reducedMotion: "reduce" });
    const page = await context.newPage();
    const person = new Person(handle, context, page);
    page.on("pageerror", (error) => person.errors.push(String(error)));
    page.on("console", (message) => message.type() === "error" && person.errors.push(message.text()));
    await person.giveAuthenticator();
    return person;
  }

  constructor(handle, context, page) {
    Object.assign(this, { handle, context, page, errors: [] });
    this.computer = `http://${handle}.localhost:8080`;
  }

  async giveAuthenticator() {
    const devtools = await this.context.newCDPSession(this.page);
    await devtools.send("WebAuthn.enable");
    await devtools.send("WebAuthn.addVirtualAuthenticator", {
      options: {
        protocol: "ctap2",
        transport: "internal",
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    });
  }

  at = (id) => this.page.getByTestId(id);

  /** Signs up and waits for the desktop. */
  async signUp() {
    await this.page.goto(`${origin}/signup`);
    await this.at("handle-input").fill(this.handle);
    await until("the handle is shown as available", async () => /^Available/.test(await this.at("handle-status").innerText()));
    await this.at("create-computer").click();
    await this.arrived();
  }

  async arrived() {
    await this.page.waitForURL(`${this.computer}/**`, { timeout: 60_000 });
    await this.at("dock-terminal").first().waitFor({ timeout: 60_000 });
  }

  async openTerminal() {
    await this.at("dock-terminal").first().click();
    await this.at("window-terminal").first().waitFor();
    await until("the shell shows a prompt", async () => /\$/.test(await this.screen()));
  }

  /** The text of the terminal's screen, wrapped lines joined. */
  async screen() {
    const rows = await this.page.locator(".xterm-rows").first().innerText();
    return rows.replaceAll("\u00a0", " ");
  }

  /** Types a command; returns what stands between two marks that only its execution can print. */
  async shell(command, seconds = 60) {
    const mark = Math.random().toString(36).slice(2, 8);
    await this.page.getByLabel("Terminal input").first().focus();
    await this.page.keyboard.type(`clear; ${command}; printf '<%s:%s>\\n' ${mark} $?`);
    await this.page.keyboard.press("Enter");
    const done = new RegExp(`<${mark}:(\\d+)>`);
    const text = await until(`the command ends: ${command}`, async () => {
      const screen = await this.screen();
      return done.test(screen) && screen;
    }, seconds);
    const [, code] = done.exec(text);
    return { code: Number(code), text: text.slice(0, text.search(done)) };
  }

  async picture(name) {
    await this.page.screenshot({ path: `${screens}/${name}.png` });
  }

  /** Nothing went wrong in the page that the person was not told about. */
  assertNoErrors(allowed = []) {
    const unexpected = this.errors.filter((e) => !allowed.some((a) => e.includes(a)));
    assert.deepEqual(unexpected, [], `${this.handle}'s page reported errors`);
  }
}
