// An authenticator app (RFC 6238: SHA-1, six digits, thirty seconds) that never shows the same code twice.
import { createHmac } from "node:crypto";

const STEP_S = 30;
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

function bytesOf(base32) {
  const bits = [...base32.replaceAll(" ", "")].map((letter) => ALPHABET.indexOf(letter).toString(2).padStart(5, "0")).join("");
  return Buffer.from(bits.match(/.{8}/g).map((byte) => Number.parseInt(byte, 2)));
}

function codeAt(key, step) {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const mac = createHmac("sha1", key).update(counter).digest();
  const number = mac.readUInt32BE(mac[19] & 15) & 0x7fff_ffff;
  return String(number % 1_000_000).padStart(6, "0");
}

export class App {
  #last = 0;

  constructor(secret) {
    this.key = bytesOf(secret);
  }

  /** The next code that was not shown before: of the step before, this one or the one after; waits where that is too early. */
  async code() {
    for (;;) {
      const now = Math.floor(Date.now() / 1000 / STEP_S);
      const step = Math.max(this.#last + 1, now - 1);
      if (step <= now + 1) {
        this.#last = step;
        return codeAt(this.key, step);
      }
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }

  /** Six digits that no step near now has. */
  wrong() {
    const now = Math.floor(Date.now() / 1000 / STEP_S);
    const near = new Set([-3, -2, -1, 0, 1, 2, 3].map((more) => codeAt(this.key, now + more)));
    return ["000000", "111111", "222222", "333333", "444444", "555555", "666666", "777777"].find((code) => !near.has(code));
  }
}
