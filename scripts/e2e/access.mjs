// What a program can tell of whether everybody can use a page: axe's rules, Lighthouse's figure.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import measure from "lighthouse";
import { LAPTOP, PHONE } from "./browser.mjs";
import { until } from "./platform.mjs";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"];

/** Where Lighthouse finds the browser; the network namespace is ours alone. */
const DEVTOOLS = 9333;

/** How to launch a browser that Lighthouse can find. */
export const MEASURED = [`--remote-debugging-port=${DEVTOOLS}`];

/** Nothing moves any more but what moves forever. */
export const settled = (page) =>
  until("it stands still", () => page.evaluate(() => document.getAnimations().every((one) => one.playState !== "running" || one.effect.getComputedTiming().iterations === Infinity)));

/** What is wrong with the page, and with each document within: one line for each thing. */
export async function wrongs(page) {
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

/** Lighthouse gives at least 95 of 100 for accessibility. */
export async function lighthouse(address, formFactor) {
  const screen = formFactor === "mobile" ? { ...PHONE, deviceScaleFactor: 1, mobile: true } : { ...LAPTOP, deviceScaleFactor: 1, mobile: false };
  const { lhr } = await measure(address, { port: DEVTOOLS, onlyCategories: ["accessibility"], formFactor, screenEmulation: screen, logLevel: "error" });
  const { score, auditRefs } = lhr.categories.accessibility;
  const lost = auditRefs.filter(({ id, weight }) => weight > 0 && lhr.audits[id].score === 0).map(({ id }) => `${id}: ${lhr.audits[id].details?.items?.map(({ node }) => node?.selector).join(", ")}`);
  assert.ok(score >= 0.95, `${Math.round(score * 100)} of 100: ${lost.join("; ")}`);
}
