// The apps of this computer, and what their bridge asks of the gateway.
import { ask, askJson, sendJson } from "./http.ts";
import { BACKGROUND } from "./link.ts";

export interface App {
  /** What people call it. */
  name: string;
  description?: string;
  /** An emoji, or the name of a file in `system/icons/`. */
  icon?: string;
  category: string;
  /** `expense-tracker.html`; without its ending, the app's own name. */
  file: string;
  path: string;
}

export const apps = () => askJson<App[]>("/api/apps");
export const ownName = ({ file }: Pick<App, "file">) => file.replace(/\.html$/, "");

/** The app's page, as its frame loads it; each version of the file has an address of its own. */
export const pageOf = (app: string, version: number) => `/apps/${encodeURIComponent(app)}?v=${version}`;

/** Whether the app's page can be shown; throws what there is to say if not. */
export const look = (app: string, signal: AbortSignal) => ask(pageOf(app, 0), { method: "HEAD", signal });

/** A page that nobody looks at neither wakes the computer nor keeps it awake. */
function unseen(): RequestInit {
  return document.visibilityState === "hidden" ? { headers: BACKGROUND } : {};
}

async function data(body: object): Promise<unknown> {
  const answer = await sendJson("POST", "/api/bridge/data", body, unseen());
  return ((await answer.json()) as { value: unknown }).value;
}

export const readData = (app: string, key: string) => data({ action: "read", app, key });
export const writeData = (app: string, key: string, value: unknown) => data({ action: "write", app, key, value });

/** What a model makes of a prompt can take longer than other calls. */
const GENERATE_MS = 180_000;

export async function generate(app: string, prompt: string): Promise<string> {
  const answer = await sendJson("POST", "/api/bridge/generate", { app, prompt }, { patience: GENERATE_MS });
  return ((await answer.json()) as { text: string }).text;
}
