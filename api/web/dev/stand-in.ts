// Development only: stands in for the platform while one works on the pages with `npm run dev`. It checks nothing, keeps
// nothing, and is never built in. Handles steer it: `taken`, `slow…` (a slow start), `broken…` (a start that fails once).
// `hamed` has an authenticator app; `POST /api/tire` makes the next dangerous act ask for a proof.
import type { Connect, Plugin } from "vite";
import type { Answer } from "./answer.ts";
import { Platform } from "./platform.ts";

// The parts of Node's request and response that are used here; its types are not installed for the sake of this file.
interface Request extends AsyncIterable<Uint8Array> {
  url?: string;
  method?: string;
  headers: { cookie?: string };
}

interface Response {
  writeHead(status: number, headers: Record<string, string>): Response;
  end(text?: string): void;
}

export function standIn(): Plugin {
  const platform = new Platform();
  return {
    name: "platform-stand-in",
    apply: "serve",
    configureServer({ middlewares }) {
      const handle = (request: Request, response: Response, next: () => void) => {
        const path = request.url ?? "/";
        if (!/^\/(api|enter)\//.test(path)) return next();
        void bodyOf(request).then((body) => send(response, platform.answer(`${request.method} ${path}`, body, /handle=([\w-]+)/.exec(request.headers.cookie ?? "")?.[1])));
      };
      middlewares.use(handle as unknown as Connect.NextHandleFunction);
    },
  };
}

async function bodyOf(request: Request): Promise<Record<string, unknown>> {
  const chunks: string[] = [];
  const decoder = new TextDecoder();
  for await (const chunk of request) chunks.push(decoder.decode(chunk, { stream: true }));
  return chunks.length > 0 ? JSON.parse(chunks.join("")) : {};
}

function send(response: Response, { status, body, headers = {} }: Answer): void {
  response.writeHead(status, { "content-type": "application/json", ...headers }).end(body === undefined ? undefined : JSON.stringify(body));
}
