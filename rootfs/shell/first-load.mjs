// After a build: how much a browser fetches before the desktop is there, compressed. Fails above the budget.
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const MOST = 300_000;
const read = (path) => readFileSync(new URL(`dist/${path}`, import.meta.url));

const page = read("index.html");
const linked = [...page.toString().matchAll(/(?:src|href)="\/(assets\/[^"]+)"/g)].map(([, path]) => path);
const fonts = linked.filter((path) => path.endsWith(".css")).flatMap((path) => [...read(path).toString().matchAll(/url\(\/(assets\/[^)]+\.woff2)\)/g)].map(([, font]) => font));
const sizes = [["index.html", gzipSync(page).length], ...linked.map((path) => [path, gzipSync(read(path)).length]), ...[...new Set(fonts)].map((path) => [path, read(path).length])];
const sum = sizes.reduce((all, [, size]) => all + size, 0);

for (const [path, size] of sizes) console.log(`${String(size).padStart(8)} B  ${path}`);
console.log(`${String(sum).padStart(8)} B  first load, of at most ${MOST} B`);
if (!linked.some((path) => path.endsWith(".js")) || fonts.length === 0) throw new Error("the page's scripts or fonts were not found: has the build changed its form?");
if (linked.some((path) => /TerminalWindow|SettingsWindow|Rich/.test(path))) throw new Error("what should be fetched later is fetched at first");
if (sum > MOST) throw new Error("the first load is larger than its budget");
