// Everybody can use the desktop: every view of it, wide and narrow, by day and by night, holds to WCAG 2.1 AA as far as a program can tell.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import measure from "lighthouse";
import { LAPTOP, PHONE, launch } from "./browser.mjs";
import { Computer } from "./computer.mjs";
import { VIEWS, clear, liveIn } from "./lived.mjs";
import { screens, until } from "./platform.mjs";
import { Provider } from "./scripted.mjs";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"];

/** Where Lighthouse finds the browser; the network namespace is ours alone. */
const DEVTOOLS = 9333;

let provider, computer, browser;

before(async () => {
  provider = await Provider.start();
  computer = await Computer.start(provider);
  await liveIn(computer);
  browser = await launch([`--remote-debugging-port=${DEVTOOLS}`]);
});

after(async () => {
  await browser?.close();
  await computer?.end();
  await provider?.end();
});

/** What is wrong with the page, and with each document within: one line for each thing. */
async function wrongs(page) {
  const found = [];
  for (const frame of page.frames()) {
    await frame.evaluate(AXE);
    const { violations } = await frame.evaluate((tags) => window.axe.run(document, { runOnly: tags, iframes: false, resultTypes: ["violations"] }), RULES);
    for (const { id, help, nodes } of violations) {
      // A menu that is open is all that can be used: it needs no landmark.
      const meant = nodes.filter(({ target }) => !(id === "region" && target.join().includes("data-radix-popper")));
      for (const { target, any } of meant) found.push(`${id}: ${help}: ${target.join(" ")} ${any[0]?.message ?? ""}`);
    }
  }
  return found;
}

/** What Lighthouse gives for accessibility, and what it took points for. */
async function lighthouse(address, formFactor) {
  const screen = formFactor === "mobile" ? { ...PHONE, deviceScaleFactor: 1, mobile: true } : { ...LAPTOP, deviceScaleFactor: 1, mobile: false };
  const { lhr } = await measure(address, { port: DEVTOOLS, onlyCategories: ["accessibility"], formFactor, screenEmulation: screen, logLevel: "error" });
  const { score, auditRefs } = lhr.categories.accessibility;
  const lost = auditRefs.filter(({ id, weight }) => weight > 0 && lhr.audits[id].score === 0).map(({ id }) => `${id}: ${lhr.audits[id].details?.items?.map(({ node }) => node?.selector).join(", ")}`);
  return { score: Math.round(score * 100), lost };
}

for (const [size, viewport] of Object.entries({ laptop: LAPTOP, phone: PHONE })) {
  for (const colorScheme of ["light", "dark"]) {
    test(`every view can be used by everybody: ${size}, ${colorScheme}`, async () => {
      const touch = size === "phone";
      const page = await (await browser.newContext({ viewport, colorScheme, reducedMotion: "reduce", hasTouch: touch, isMobile: touch })).newPage();
      page.setDefaultTimeout(60_000);
      const all = [];
      for (const [name, open] of Object.entries(VIEWS)) {
        await clear(page, computer);
        await open(page);
        await until("it stands still", () => page.evaluate(() => document.getAnimations().every((one) => one.playState !== "running" || one.effect.getComputedTiming().iterations === Infinity)));
        await page.screenshot({ path: `${screens}/access-${size}-${colorScheme}-${name}.png` });
        all.push(...(await wrongs(page)).map((wrong) => `${name}: ${wrong}`));
      }
      await page.context().close();
      assert.deepEqual(all, []);
    });
  }
}

for (const formFactor of ["desktop", "mobile"]) {
  test(`Lighthouse gives the desktop at least 95 for accessibility: ${formFactor}`, async () => {
    const { score, lost } = await lighthouse(computer.address, formFactor);
    assert.ok(score >= 95, `${score}: ${lost.join("; ")}`);
  });
}
