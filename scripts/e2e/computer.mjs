// One computer without its platform: the real gateway with a home of its own, and before it what the platform's proxy does, adding
// the bearer.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, request } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { until } from "./platform.mjs";

const ROOTFS = fileURLToPath(new URL("../../rootfs/", import.meta.url));
const PROGRAM = join(dirname(process.env.E2E_PROGRAM), "matrixos-gateway");
const PORT = 4700;
const TOKEN = "end-to-end-end-to-end-end-to-end";

export class Computer {
  /** `provider` answers its AI; `more` is what else its environment says. */
  static async start(provider, more = {}) {
    const computer = new Computer(provider, more);
    await computer.switchOn();
    computer.door = createServer((asked, answer) => computer.pass(asked, answer));
    computer.door.on("upgrade", (asked, socket, head) => computer.upgrade(asked, socket, head));
    await once(computer.door.listen(0, "127.0.0.1"), "listening");
    computer.address = `http://localhost:${computer.door.address().port}`;
    return computer;
  }

  constructor(provider, more) {
    Object.assign(this, { provider, more });
    this.home = mkdtempSync(join(tmpdir(), "matrixos-computer-"));
  }

  async switchOn() {
    const env = {
      PATH: process.env.PATH,
      HOME: this.home,
      MATRIX_AUTH_TOKEN: TOKEN,
      MATRIX_HANDLE: "ada",
      MATRIX_LISTEN: `127.0.0.1:${PORT}`,
      MATRIX_SHELL: join(ROOTFS, "shell/dist"),
      MATRIX_TEMPLATE: join(ROOTFS, "home"),
      ANTHROPIC_BASE_URL: this.provider.base,
      ANTHROPIC_API_KEY: this.provider.key,
      ...this.more,
    };
    this.gateway = spawn(PROGRAM, [], { env, stdio: ["ignore", "ignore", "inherit"] });
    await until("the gateway answers", async () => (await fetch(`http://127.0.0.1:${PORT}/health`)).ok);
  }

  /** As a power cut does. */
  async cutPower() {
    const gone = once(this.gateway, "exit");
    this.gateway.kill("SIGKILL");
    await gone;
  }

  async end() {
    this.door.close();
    this.door.closeAllConnections();
    await this.cutPower();
    rmSync(this.home, { recursive: true, force: true });
  }

  pass(asked, answer) {
    const headers = { ...asked.headers, authorization: `Bearer ${TOKEN}` };
    const onward = request({ host: "127.0.0.1", port: PORT, path: asked.url, method: asked.method, headers }, (got) => {
      answer.writeHead(got.statusCode, got.headers);
      got.pipe(answer);
    });
    onward.on("error", () => answer.writableEnded || answer.writeHead(502).end());
    asked.pipe(onward);
  }

  upgrade(asked, socket, head) {
    const onward = connect(PORT, "127.0.0.1", () => {
      const headers = Object.entries({ ...asked.headers, authorization: `Bearer ${TOKEN}` }).map(([name, value]) => `${name}: ${value}\r\n`);
      onward.write(`${asked.method} ${asked.url} HTTP/1.1\r\n${headers.join("")}\r\n`);
      onward.write(head);
      onward.pipe(socket).pipe(onward);
    });
    for (const [one, other] of [[socket, onward], [onward, socket]]) {
      one.on("error", () => other.destroy());
      one.on("close", () => other.destroy());
    }
  }
}
