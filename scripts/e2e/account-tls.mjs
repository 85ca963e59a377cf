// TLS in front of the platform, as a web server in front of it would be, with a certificate made for the test, and a
// browser that trusts that certificate and finds the names of the test on this machine.
import { execFileSync } from "node:child_process";
import { X509Certificate, createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { createServer } from "node:tls";
import { once } from "node:events";
import { chromium } from "playwright-core";

function certificate(host) {
  const place = mkdtempSync(`${tmpdir()}/e2e-tls-`);
  const made = ["-keyout", `${place}/key`, "-out", `${place}/cert`];
  const names = `subjectAltName=DNS:${host},DNS:*.${host}`;
  execFileSync("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", `/CN=${host}`, "-addext", names, ...made], { stdio: "ignore" });
  const pair = { key: readFileSync(`${place}/key`), cert: readFileSync(`${place}/cert`) };
  rmSync(place, { recursive: true });
  return pair;
}

const HOSTILE = "<!doctype html><title>a neighbour</title>";

/** Listens on 443 and hands every byte on to the platform's port; `evil.{host}` serves an empty page for tests to act from. `heads` are the heads of requests as they came. */
export async function inFront(host, port) {
  const pair = certificate(host);
  const heads = [];
  const server = createServer(pair, (outside) => {
    if (outside.servername === `evil.${host}`) {
      return outside.once("data", () => outside.end(`HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: ${HOSTILE.length}\r\nconnection: close\r\n\r\n${HOSTILE}`));
    }
    const inside = connect(port, "127.0.0.1");
    outside.on("data", (bytes) => heads.push(bytes.toString("latin1").split("\r\n\r\n")[0]));
    for (const end of [outside, inside]) end.on("error", () => [outside, inside].forEach((s) => s.destroy()));
    outside.pipe(inside).pipe(outside);
  });
  // A browser that does not trust the certificate says so here; the test then sees it in the page.
  server.on("tlsClientError", () => undefined);
  server.listen(443, "127.0.0.1");
  await once(server, "listening");
  const spki = new X509Certificate(pair.cert).publicKey.export({ type: "spki", format: "der" });
  return { host, pin: createHash("sha256").update(spki).digest("base64"), heads, close: () => server.close() };
}

export const launchTrusting = ({ host, pin }) =>
  chromium.launch({
    executablePath: "/usr/bin/chromium",
    headless: true,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", `--host-resolver-rules=MAP ${host} 127.0.0.1, MAP *.${host} 127.0.0.1`, `--ignore-certificate-errors-spki-list=${pin}`],
  });
