// Everybody can use the pages of the account: landing, sign-up, signing in, the account itself.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { MEASURED, lighthouse, settled, wrongs } from "./access.mjs";
import { LAPTOP, PHONE, Person, launch } from "./browser.mjs";
import { Supervisor, forgetEverything, origin, screens, takeEverythingDown } from "./platform.mjs";

let supervisor, browser;

before(async () => {
  forgetEverything();
  supervisor = await Supervisor.start();
  browser = await launch(MEASURED);
});

after(async () => {
  await browser?.close();
  await takeEverythingDown(supervisor);
});

const LOOKS = [LAPTOP, PHONE].flatMap((viewport) => ["light", "dark"].map((colorScheme) => [viewport, colorScheme]));

/** Looks at these pages in every size and light; what is wrong with them. */
async function through(page, pages) {
  const all = [];
  for (const [viewport, colorScheme] of LOOKS) {
    await page.setViewportSize(viewport);
    await page.emulateMedia({ colorScheme });
    for (const [name, path, seen] of pages) {
      await page.goto(`${origin}${path}`);
      await seen(page).waitFor();
      await settled(page);
      await page.screenshot({ path: `${screens}/access-${name}-${viewport.width}-${colorScheme}.png`, fullPage: true });
      all.push(...(await wrongs(page)).map((wrong) => `${name}, ${viewport.width}, ${colorScheme}: ${wrong}`));
    }
  }
  return all;
}

test("the pages for those who have no account can be used by everybody", async () => {
  const page = await (await browser.newContext({ reducedMotion: "reduce" })).newPage();
  const all = await through(page, [
    ["landing", "/", (page) => page.getByRole("heading", { level: 1 })],
    ["signup", "/signup", (page) => page.getByTestId("handle-input")],
    ["login", "/login", (page) => page.getByRole("heading", { level: 1 })],
    ["missing", "/nowhere", (page) => page.getByRole("heading", { level: 1 })],
  ]);
  assert.deepEqual(all, []);
});

for (const path of ["/", "/signup"]) {
  for (const formFactor of ["desktop", "mobile"]) test(`Lighthouse gives ${path} at least 95 for accessibility: ${formFactor}`, () => lighthouse(`${origin}${path}`, formFactor));
}

test("the account can be used by everybody", async () => {
  const person = await Person.arrive(browser, "vera");
  await person.signUp();
  const all = await through(person.page, [["account", "/account", (page) => page.getByTestId("sign-out")]]);
  assert.deepEqual(all, []);
  await person.context.close();
});
