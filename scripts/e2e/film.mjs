// Films a page as it is shown, frame by frame, for the demo on the front page. Where nothing is filmed, nobody waits.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";

const folder = process.env.E2E_FILM;
let cdp, frames;

/** Begins to film this page, if `E2E_FILM` names a folder. */
export async function begin(page) {
  if (!folder) return;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  frames = [];
  cdp = await page.context().newCDPSession(page);
  cdp.on("Page.screencastFrame", ({ data, metadata, sessionId }) => {
    const name = `${String(frames.length).padStart(5, "0")}.png`;
    writeFileSync(`${folder}/${name}`, Buffer.from(data, "base64"));
    frames.push({ name, at: metadata.timestamp });
    cdp.send("Page.screencastFrameAck", { sessionId }).catch(() => {});
  });
  await cdp.send("Page.startScreencast", { format: "png", maxWidth: 1440, maxHeight: 900 });
}

/** A moment to look at what is there. */
export const linger = (ms) => folder && new Promise((resolve) => setTimeout(resolve, ms));

/** Milliseconds between two keys. */
export const pace = folder ? 45 : 0;

/** Ends the film, and leaves a list of its frames for ffmpeg's concat demuxer. */
export async function end() {
  if (!folder || !cdp) return;
  await cdp.send("Page.stopScreencast");
  const until = [...frames.slice(1).map((frame) => frame.at), Date.now() / 1000];
  const lines = frames.map(({ name, at }, n) => `file '${name}'\nduration ${(until[n] - at).toFixed(3)}`);
  writeFileSync(`${folder}/frames.txt`, `ffconcat version 1.0\n${lines.join("\n")}\n`);
  cdp = undefined;
}
