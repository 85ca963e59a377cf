// Everybody can use the desktop: every view of it, wide and narrow, by day and by night, holds to WCAG 2.1 AA as far as a program can tell.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { MEASURED, lighthouse, settled, wrongs } from "./access.mjs";
import { LAPTOP, PHONE, launch } from "./browser.mjs";
import { Computer } from "./computer.mjs";
import { VIEWS, clear, liveIn } from "./lived.mjs";
import { screens } from "./platform.mjs";
import { Provider } from "./scripted.mjs";

let provider, computer, browser;

before(async () => {
  provider = await Provider.start();
  computer = await Computer.start(provider);
  await liveIn(computer);
  browser = await launch(MEASURED);
});

after(async () => {
  await browser?.close();
  await computer?.end();
  await provider?.end();
});

for (const [size, viewport] of Object.entries({ laptop: LAPTOP, phone: PHONE })) {
  for (const colorScheme of ["light", "dark"]) {
    test(`every view can be used by everybody: ${size}, ${colorScheme}`, async () => {
      const touch = size === "phone";
      // The one is as below a platform's domain, the other as a computer by itself: they say different things here and there.
      const address = touch ? computer.address : computer.address.replace("localhost", "ada.localhost");
      const page = await (await browser.newContext({ viewport, colorScheme, reducedMotion: "reduce", hasTouch: touch, isMobile: touch })).newPage();
      page.setDefaultTimeout(60_000);
      const all = [];
      for (const [name, open] of Object.entries(VIEWS)) {
        await clear(page, computer, address);
        await open(page);
        await settled(page);
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
    await lighthouse(computer.address, formFactor);
  });
}
