// The stand-in's answers: the same shapes as the platform's, from memory.
import { isHandle } from "../src/platform/places.ts";
import type { Computer, HandleAnswer, StepName } from "../src/platform/wire.ts";

export interface Answer {
  status: number;
  body?: unknown;
  headers?: Record<string, string>;
}

const ABOUT = "I build small tools for people who would rather draw than type.\n\nAt the moment: a notebook that forgets politely.\nAsk me about kites.";
const STEPS: readonly StepName[] = ["home", "container", "desktop"];
const error = (status: number, code: string, message: string, suggestions?: string[]): Answer => ({ status, body: { error: { code, message, suggestions } } });
const arrival = (handle: string) => ({ handle, computer: `http://${handle}.localhost:8080` });

export class Platform {
  readonly #people = new Map<string, { since: string; feed: boolean; started: number; tries: number }>();
  readonly #ceremonies = new Map<string, string>();

  constructor() {
    this.#join("hamed", false);
    this.#join("taken", false);
  }

  answer(request: string, body: Record<string, unknown>, me: string | undefined): Answer {
    const [method, path = "/"] = request.split(" ");
    const [, area, what = "", name = ""] = path.split("?")[0]?.split("/") ?? [];
    if (area === "enter") return { status: 303, headers: { location: me === what ? "/account" : `/@${what}` } };
    if (what === "handles") return { status: 200, body: this.#handle(decodeURIComponent(name)) };
    if (what === "profiles") return this.#profile(name);
    if (what === "stats") return { status: 200, body: { running: this.#people.size - 2, computers: this.#people.size } };
    if (what === "signup" || what === "login") return this.#ceremony(`${what} ${name}`, body);
    const person = me && this.#people.get(me);
    if (!me || !person) return error(401, "not_signed_in", "You are signed out.");
    if (what === "logout") return { status: 204, headers: { "set-cookie": "handle=; Path=/; Max-Age=0" } };
    if (what === "me") return { status: 200, body: { ...arrival(me), feed: person.feed } };
    if (method === "POST") Object.assign(person, { started: Date.now(), tries: person.tries + 1 });
    return { status: method === "POST" ? 202 : 200, body: this.#computer(me) };
  }

  #join(handle: string, feed: boolean): void {
    this.#people.set(handle, { since: "2026-11-28", feed, started: Date.now(), tries: 0 });
  }

  #handle(handle: string): HandleAnswer {
    if (!isHandle(handle)) return { handle, available: false, message: "A handle has only lower-case letters a to z, digits and hyphens.", suggestions: [] };
    if (!this.#people.has(handle)) return { handle, available: true, suggestions: [] };
    const suggestions = [`${handle}-os`, `${handle}7`];
    return { handle, available: false, message: `That handle is not available. Try ${suggestions.join(" or ")}.`, suggestions };
  }

  #profile(handle: string): Answer {
    const person = this.#people.get(handle);
    return person ? { status: 200, body: { handle, since: person.since, about: handle === "hamed" ? ABOUT : null } } : error(404, "not_found", "There is no such person here.");
  }

  #ceremony(step: string, body: Record<string, unknown>): Answer {
    const ceremony = String(body.ceremony ?? crypto.randomUUID());
    const handle = this.#ceremonies.get(ceremony) ?? String(body.handle ?? "");
    const challenge = "c3RhbmQtaW4tY2hhbGxlbmdl";
    switch (step) {
      case "signup start":
        this.#ceremonies.set(ceremony, handle);
        return { status: 200, body: { ceremony, publicKey: registration(handle, challenge) } };
      case "signup finish":
        if (this.#people.has(handle)) return error(409, "handle_taken", this.#handle(handle).message ?? "", this.#handle(handle).suggestions);
        this.#join(handle, body.feed === true);
        return signedIn(201, handle);
      case "login start":
        return { status: 200, body: { ceremony, publicKey: { challenge, rpId: "localhost", userVerification: "required", timeout: 300_000 } } };
      default:
        return signedIn(200, this.#ownerOf(body));
    }
  }

  /** The stand-in writes the handle into the passkey's user id, so it can read it back. */
  #ownerOf(body: Record<string, unknown>): string {
    const { response } = body.credential as { response: { userHandle?: string } };
    return atob((response.userHandle ?? "").replaceAll("-", "+").replaceAll("_", "/")) || "hamed";
  }

  #computer(handle: string): Computer {
    const { started = 0, tries = 0 } = this.#people.get(handle) ?? {};
    const length = handle.startsWith("slow") ? 8_000 : 300;
    const at = Math.min(3, Math.floor((Date.now() - started) / length));
    const broken = handle.startsWith("broken") && tries === 0 && at >= 1;
    const steps = STEPS.map((name, i) => {
      if (broken) return i === 0 ? { name, state: "done" as const, ms: length } : { name, state: i === 1 ? ("failed" as const) : ("waiting" as const) };
      return i < at ? { name, state: "done" as const, ms: length } : { name, state: i === at ? ("doing" as const) : ("waiting" as const) };
    });
    if (broken) return { state: "broken", reason: "Your container did not start: the machine is out of memory at the moment. Try again in a minute.", steps };
    return { state: at === 3 ? "running" : "starting", steps };
  }
}

function registration(handle: string, challenge: string) {
  const id = btoa(handle).replaceAll("=", "").replaceAll("+", "-").replaceAll("/", "_");
  return {
    rp: { name: "Matrix OS", id: "localhost" },
    user: { id, name: handle, displayName: handle },
    challenge,
    pubKeyCredParams: [{ type: "public-key", alg: -7 }],
    timeout: 300_000,
    authenticatorSelection: { residentKey: "required", requireResidentKey: true, userVerification: "required" },
  };
}

const signedIn = (status: number, handle: string): Answer => ({ status, body: arrival(handle), headers: { "set-cookie": `handle=${handle}; Path=/` } });
