// The stand-in's answers: the same shapes as the platform's, from memory.
import { isHandle } from "../src/platform/places.ts";
import type { Computer, HandleAnswer, StepName } from "../src/platform/wire.ts";
import { Account, appStart, registration } from "./account.ts";
import { type Answer, error } from "./answer.ts";

const ABOUT = "I build small tools for people who would rather draw than type.\n\nAt the moment: a notebook that forgets politely.\nAsk me about kites.";
const STEPS: readonly StepName[] = ["home", "container", "desktop"];
const arrival = (handle: string) => ({ handle, computer: `http://${handle}.localhost:8080` });

interface Person {
  since: string;
  feed: boolean;
  started: number;
  tries: number;
  account: Account;
}

export class Platform {
  readonly #people = new Map<string, Person>();
  readonly #ceremonies = new Map<string, string>();

  constructor() {
    this.#join("hamed", false).account.setApp();
    this.#join("taken", false);
  }

  answer(request: string, body: Record<string, unknown>, me: string | undefined): Answer {
    const [method = "GET", address = "/"] = request.split(" ");
    const { pathname, searchParams } = new URL(address, "http://localhost");
    const [, area, what = "", name = "", step = ""] = pathname.split("/");
    if (area === "enter") return { status: 303, headers: { location: me === what ? "/account" : `/@${what}` } };
    if (what === "handles") return { status: 200, body: this.#handle(decodeURIComponent(name)) };
    if (what === "profiles") return this.#profile(name);
    if (what === "stats") return { status: 200, body: { running: this.#people.size - 2, computers: this.#people.size } };
    if (what === "signup" || what === "login") return this.#ceremony([what, name, step].filter(Boolean).join(" "), body);
    const person = me && this.#people.get(me);
    if (!me || !person) return error(401, "not_signed_in", "You are signed out.");
    if (what === "tire") person.account.tire();
    if (what === "logout") return { status: 204, headers: { "set-cookie": "handle=; Path=/; Max-Age=0" } };
    if (what === "me") return { status: 200, body: { ...arrival(me), feed: person.feed, admin: person.account.admin, deletion: person.account.deletion } };
    if (what !== "computer") return person.account.answer(method, pathname.slice("/api/".length), searchParams, body);
    if (method === "POST") Object.assign(person, { started: Date.now(), tries: person.tries + 1 });
    return { status: method === "POST" ? 202 : 200, body: this.#computer(me) };
  }

  #join(handle: string, feed: boolean): Person {
    const person = { since: "2026-11-28", feed, started: Date.now(), tries: 0, account: new Account(handle) };
    this.#people.set(handle, person);
    return person;
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
    switch (step) {
      case "signup start":
        this.#ceremonies.set(ceremony, handle);
        return { status: 200, body: { ceremony, publicKey: registration(handle) } };
      case "signup totp start": {
        const start = appStart(handle);
        this.#ceremonies.set(start.ceremony, handle);
        return this.#people.has(handle) ? this.#taken(handle) : { status: 200, body: start };
      }
      case "signup finish":
        if (this.#people.has(handle)) return this.#taken(handle);
        this.#join(handle, body.feed === true).account.addPasskey("Passkey");
        return signedIn(201, handle);
      case "signup totp finish":
        if (body.code === "000000") return error(400, "code_rejected", "That code does not fit. Type the one that the app shows now.");
        return signedIn(201, handle, this.#join(handle, body.feed === true).account.setApp());
      case "login start":
        return { status: 200, body: { ceremony, publicKey: { challenge: "c3RhbmQtaW4tY2hhbGxlbmdl", rpId: "localhost", userVerification: "required", timeout: 300_000 } } };
      case "login code":
        return this.#code(handle, String(body.code));
      default:
        return this.#enter(this.#ownerOf(body));
    }
  }

  #taken(handle: string): Answer {
    const { message = "", suggestions } = this.#handle(handle);
    return error(409, "handle_taken", message, suggestions);
  }

  #code(handle: string, code: string): Answer {
    const account = this.#people.get(handle)?.account;
    const fits = account?.accepts(code);
    if (!account || !fits) return error(401, "code_rejected", "The handle and the code do not fit together. Check both, and use the code that the app shows now.");
    return this.#enter(handle, fits === "recovery" ? { recoveryCodesLeft: account.codes.length } : {});
  }

  #enter(handle: string, more: object = {}): Answer {
    this.#people.get(handle)?.account.signedIn();
    return signedIn(200, handle, more);
  }

  #ownerOf(body: Record<string, unknown>): string {
    const { response } = body.credential as { response: { userHandle?: string } };
    return atob((response.userHandle ?? "").replaceAll("-", "+").replaceAll("_", "/")) || "hamed";
  }

  #computer(handle: string): Computer {
    const { started = 0, tries = 0, account } = this.#people.get(handle) ?? {};
    const length = handle.startsWith("slow") ? 8_000 : 300;
    const at = Math.min(3, Math.floor((Date.now() - started) / length));
    const broken = handle.startsWith("broken") && tries === 0 && at >= 1;
    const steps = STEPS.map((name, i) => {
      if (broken) return i === 0 ? { name, state: "done" as const, ms: length } : { name, state: i === 1 ? ("failed" as const) : ("waiting" as const) };
      return i < at ? { name, state: "done" as const, ms: length } : { name, state: i === at ? ("doing" as const) : ("waiting" as const) };
    });
    if (account && account.deletion !== null) return { state: "stopped", reason: "The account is about to be deleted.", steps };
    if (broken) return { state: "broken", reason: "Your container did not start: the machine is out of memory at the moment. Try again in a minute.", steps };
    return { state: at === 3 ? "running" : "starting", steps };
  }
}

const signedIn = (status: number, handle: string, more: object = {}): Answer => ({ status, body: { ...arrival(handle), ...more }, headers: { "set-cookie": `handle=${handle}; Path=/` } });
