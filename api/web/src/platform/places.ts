// Where things are: which page a path means, and where a computer lives.

export type Page = { name: "landing" } | { name: "signup" } | { name: "login"; to?: string } | { name: "account" } | { name: "profile"; handle: string } | { name: "missing" };

/** The published rule for handles: ^[a-z][a-z0-9-]{2,30}$, no trailing or double hyphen. */
export function isHandle(text: string): boolean {
  return /^[a-z][a-z0-9-]{2,30}$/.test(text) && !text.endsWith("-") && !text.includes("--");
}

/** The page that a path (and query) means. The only parameter read is a handle, so a link can never lead elsewhere. */
export function pageAt(path: string, query: string): Page {
  const place = path.length > 1 ? path.replace(/\/$/, "") : path;
  switch (place) {
    case "/":
      return { name: "landing" };
    case "/signup":
    case "/account":
      return { name: place === "/signup" ? "signup" : "account" };
    case "/login":
      return { name: "login", to: wanted(query) };
    default:
      return profileAt(place);
  }
}

function wanted(query: string): string | undefined {
  const to = new URLSearchParams(query).get("to");
  return to !== null && isHandle(to) ? to : undefined;
}

function profileAt(path: string): Page {
  const handle = path.startsWith("/@") ? path.slice(2) : "";
  return isHandle(handle) ? { name: "profile", handle } : { name: "missing" };
}

/** The address of a handle's computer without its scheme, for example `hamed.localhost:8080`. */
export const addressOf = (handle: string, below = computersHost()) => `${handle}.${below}`;

/** The platform says in each page below which host computers are: its own, or one apart. Vite's own server does not. */
export const computersHost = (page: ParentNode = document) => page.querySelector<HTMLMetaElement>('meta[name="computers"]')?.content ?? location.host;

/** The way into one's own computer: the platform hands over a one-time code and sends the browser on. */
export const doorOf = (handle: string) => `/enter/${encodeURIComponent(handle)}`;

/** The token of an invitation to be an administrator, from `/account#invite=TOKEN`. A fragment never reaches a log. */
export function inviteIn(hash: string): string | undefined {
  return /^#invite=([\w-]{16,256})$/.exec(hash)?.[1];
}
