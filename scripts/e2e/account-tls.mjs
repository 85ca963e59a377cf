// TLS in front of the platform, as a web server in front of it would be, with a certificate made for the test, and a
// browser that trusts that certificate and finds the names of the test on this machine.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { X509Certificate, createHash } from "node:crypto";
import { createWriteStream, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { request } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { createServer } from "node:tls";
import { once } from "node:events";
import { chromium } from "playwright-core";
import { Supervisor, data, instance, screens, until } from "./platform.mjs";

function certificate(hosts) {
  const place = mkdtempSync(`${tmpdir()}/e2e-tls-`);
  const made = ["-keyout", `${place}/key`, "-out", `${place}/cert`];
  const names = `subjectAltName=${hosts.map((host) => `DNS:${host},DNS:*.${host}`).join()}`;
  execFileSync("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", `/CN=${hosts[0]}`, "-addext", names, ...made], { stdio: "ignore" });
  const pair = { key: readFileSync(`${place}/key`), cert: readFileSync(`${place}/cert`) };
  rmSync(place, { recursive: true });
  return pair;
}

const HOSTILE = "<!doctype html><title>a neighbour</title>";

/** Listens on 443 and hands every byte on to the platform's port; `evil.{users}` serves an empty page for tests to act from. `heads` are the heads of requests as they came. */
export async function inFront(host, port, users = host) {
  const pair = certificate([...new Set([host, users])]);
  const heads = [];
  const server = createServer(pair, (outside) => {
    if (outside.servername === `evil.${users}`) {
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
  return { hosts: [host, users], pin: createHash("sha256").update(spki).digest("base64"), heads, close: () => server.close() };
}

export const launchTrusting = ({ hosts, pin }) =>
  chromium.launch({
    executablePath: "/usr/bin/chromium",
    headless: true,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", `--host-resolver-rules=${hosts.map((host) => `MAP ${host} 127.0.0.1, MAP *.${host} 127.0.0.1`).join(", ")}`, `--ignore-certificate-errors-spki-list=${pin}`],
  });

/** Sends requests as a program does, that may claim any origin; browsers never let a page do that. */
export const sender = (of) => (method, path, { body, headers = {}, host = of } = {}) =>
  new Promise((resolve, reject) => {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const all = { host, ...(text && { "content-type": "application/json", "content-length": Buffer.byteLength(text) }), ...headers };
    const call = request({ host: "127.0.0.1", port: 8080, method, path, headers: all }, async (answer) => {
      let got = "";
      for await (const chunk of answer) got += chunk;
      resolve({ status: answer.statusCode, headers: answer.headers, body: got.startsWith("{") ? JSON.parse(got) : got });
    });
    call.once("error", reject).end(text);
  });

/** The platform as https://{host}. */
export async function serveAs(host, ...flags) {
  const child = spawn(process.env.E2E_PROGRAM, ["--data", data, "--instance", instance, "serve", "--origin", `https://${host}`, ...flags], { stdio: ["ignore", "ignore", "pipe"] });
  const served = new Supervisor(child);
  child.stderr.pipe(createWriteStream(`${screens}/supervisor.log`, { flags: "a" }));
  child.once("exit", () => (served.ended = true));
  const send = sender(host);
  await until("the platform answers", async () => {
    assert.ok(!served.ended, `the supervisor ended; see ${screens}/supervisor.log`);
    return (await send("GET", "/health")).status === 200;
  });
  return served;
}
