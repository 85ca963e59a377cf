// A person with two devices: the second one's passkeys are others than the first one's.
import { LAPTOP, Person } from "./browser.mjs";
import { screens } from "./platform.mjs";

const DEVICE = { protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true };

export class Owner extends Person {
  static async arrive(browser, handle, viewport = LAPTOP) {
    const context = await browser.newContext({ viewport, colorScheme: "light", reducedMotion: "reduce", acceptDownloads: true });
    const page = await context.newPage();
    const owner = new Owner(handle, context, page);
    page.on("pageerror", (error) => owner.errors.push(String(error)));
    page.on("console", (message) => message.type() === "error" && owner.errors.push(message.text()));
    await owner.giveAuthenticator();
    return owner;
  }

  async giveAuthenticator() {
    this.devtools = await this.context.newCDPSession(this.page);
    await this.devtools.send("WebAuthn.enable");
    await this.#take();
  }

  async #take() {
    const { authenticatorId } = await this.devtools.send("WebAuthn.addVirtualAuthenticator", { options: DEVICE });
    this.device = authenticatorId;
  }

  /** Lays the device aside and takes another one. */
  async anotherDevice() {
    await this.devtools.send("WebAuthn.removeVirtualAuthenticator", { authenticatorId: this.device });
    await this.#take();
  }

  /** The page from top to end. */
  async wholePicture(name) {
    await this.page.screenshot({ path: `${screens}/${name}.png`, fullPage: true });
  }
}
