// The stand-in's account of one person: ways in, sessions, the log. It believes every passkey, and every code but 000000.
import type { AppStart, AuditEvent, Passkey, Session, Usage } from "../src/platform/wire.ts";
import { type Answer, error } from "./answer.ts";

const FRESH_S = 300;
const GRACE_S = 7 * 86_400;
const now = () => Math.floor(Date.now() / 1000);
const ok = (body: unknown, status = 200): Answer => ({ status, body });
const NOTHING: Answer = { status: 204 };
const words = (count: number) => Array.from({ length: count }, () => crypto.randomUUID().replaceAll("-", "").slice(0, 16).replace(/(.{4})(?=.)/g, "$1-"));
const CHALLENGE = "c3RhbmQtaW4tY2hhbGxlbmdl";

export class Account {
  passkeys: Passkey[] = [];
  totp: { since: number } | null = null;
  codes: string[] = [];
  deletion: number | null = null;
  ownKey: number | null = null;
  admin = false;
  #fresh = now() + FRESH_S;
  #events: AuditEvent[] = [];
  #sessions: Session[] = [session("Chrome on Linux", true, 0, "passkey"), session("Safari on iPhone", false, 7_200, "totp"), session("Firefox on Windows", false, 400_000, "recovery_code")];

  constructor(readonly handle: string) {
    this.note("signed_up");
  }

  note(what: string, detail: string | null = null, by: AuditEvent["by"] = "self"): void {
    this.#events.unshift({ number: this.#events.length + 1, at: now(), what, detail, address: "192.0.2.7", browser: "Chrome on Linux", by });
  }

  addPasskey(name: string): Passkey {
    const passkey = { id: crypto.randomUUID(), name, created: now(), lastUsed: null };
    this.passkeys.push(passkey);
    return passkey;
  }

  setApp(): { recoveryCodes: string[] } {
    this.totp = { since: now() };
    return this.renewCodes();
  }

  renewCodes(): { recoveryCodes: string[] } {
    this.codes = words(10);
    return { recoveryCodes: this.codes };
  }

  /** Whether a code fits; a recovery code is used up. */
  accepts(typed: string): "app" | "recovery" | undefined {
    if (!this.totp) return undefined;
    if (/^\d{6}$/.test(typed)) return typed === "000000" ? undefined : "app";
    const found = this.codes.findIndex((code) => code.replaceAll("-", "") === typed);
    if (found < 0) return undefined;
    this.codes.splice(found, 1);
    return "recovery";
  }

  signedIn(): void {
    this.#fresh = now() + FRESH_S;
    this.note("signed_in");
  }

  /** For trying the pages: as if the last proof were long ago. */
  tire(): void {
    this.#fresh = 0;
  }

  answer(method: string, path: string, query: URLSearchParams, body: Record<string, unknown>): Answer {
    const id = path.split("/")[1] ?? "";
    const route = `${method} ${path.replace(/^(passkeys|sessions)\/(?!start$|finish$|revoke-all$).+/, "$1/ID")}`;
    const needsProof = /^(GET account\/export|POST passkeys\/|PUT ai|DELETE (passkeys|totp)|POST (totp\/|recovery-codes|account\/delete|admin\/claim))/.test(`${method} ${path}`);
    if (needsProof && this.#fresh < now()) return error(403, "verify_first", "Confirm that it is you first.");
    switch (route) {
      case "GET security":
        return ok({ passkeys: this.passkeys, totp: this.totp, recoveryCodes: this.totp && { left: this.codes.length, of: 10 }, freshUntil: this.#fresh });
      case "GET sessions":
        return ok({ sessions: this.#sessions });
      case "DELETE sessions/ID":
        this.#sessions = this.#sessions.filter((s) => s.id !== id);
        this.note("session_revoked");
        return NOTHING;
      case "POST sessions/revoke-all":
        return { status: 204, headers: { "set-cookie": "handle=; Path=/; Max-Age=0" } };
      case `GET usage/${this.handle}`:
        return ok(usage(this.handle, this.ownKey));
      case "PUT ai/key":
        if (String(body.key).length < 8) return error(400, "key_invalid", "That is no key. Copy it whole, as the provider showed it.");
        this.ownKey = now();
        this.note("own_key_set");
        return NOTHING;
      case "DELETE ai/key":
        this.ownKey = null;
        this.note("own_key_removed");
        return NOTHING;
      case "GET audit":
        return this.#page(Number(query.get("before") ?? Number.MAX_SAFE_INTEGER));
      case "POST passkeys/start":
        return ok({ ceremony: crypto.randomUUID(), publicKey: registration(this.handle) });
      case "POST passkeys/finish":
        this.note("passkey_added", String(body.name));
        return ok(this.addPasskey(String(body.name)), 201);
      case "PATCH passkeys/ID":
      case "DELETE passkeys/ID":
        return this.#passkey(method, id, String(body.name));
      case "POST totp/start":
        return ok(appStart(this.handle));
      case "POST totp/finish":
        if (body.code === "000000") return error(400, "code_rejected", "That code does not fit. Type the one that the app shows now.");
        this.note("totp_set");
        return ok(this.setApp());
      case "DELETE totp":
        Object.assign(this, { totp: null, codes: [] });
        this.note("totp_removed");
        return NOTHING;
      case "POST recovery-codes":
        this.note("recovery_codes_made");
        return ok(this.renewCodes());
      case "GET account/export":
        if (!query.has("check")) this.note("data_exported");
        return query.has("check") ? NOTHING : { status: 200, body: { everything: this.handle }, headers: { "content-disposition": 'attachment; filename="matrixos.tar.gz"' } };
      case "POST account/delete":
        this.deletion = now() + GRACE_S;
        this.note("deletion_requested");
        return ok({ deletion: this.deletion });
      case "POST account/restore":
        this.deletion = null;
        this.note("deletion_undone");
        return ok({ deletion: null });
      case "POST admin/claim":
        this.admin = true;
        return NOTHING;
      case "POST verify/start":
        if (this.passkeys.length === 0) return error(404, "not_found", "There is no passkey.");
        return ok({ ceremony: crypto.randomUUID(), publicKey: { challenge: CHALLENGE, rpId: "localhost", userVerification: "required", timeout: 300_000 } });
      case "POST verify/code":
        if (!this.accepts(String(body.code))) return error(400, "code_rejected", "That code does not fit. Type the one that the app shows now.");
        return this.#verified();
      case "POST verify/finish":
        return this.#verified();
      default:
        return error(404, "not_found", "There is no such thing here.");
    }
  }

  #verified(): Answer {
    this.#fresh = now() + FRESH_S;
    this.note("verified");
    return ok({ freshUntil: this.#fresh });
  }

  #passkey(method: string, id: string, name: string): Answer {
    const passkey = this.passkeys.find((p) => p.id === id);
    if (!passkey) return error(404, "not_found", "There is no such passkey.");
    if (method === "PATCH") {
      this.note("passkey_renamed", name);
      return ok(Object.assign(passkey, { name }));
    }
    if (this.passkeys.length === 1 && !this.totp) return error(409, "last_factor", "This is the last way to sign in.");
    this.passkeys = this.passkeys.filter((p) => p !== passkey);
    this.note("passkey_removed", passkey.name);
    return NOTHING;
  }

  #page(before: number): Answer {
    const events = this.#events.filter((e) => e.number < before).slice(0, 50);
    const last = events.at(-1)?.number ?? 1;
    return ok({ events, next: last > 1 ? last : null });
  }
}

function session(browser: string, current: boolean, age: number, method: Session["method"]): Session {
  return { id: crypto.randomUUID(), current, created: now() - age * 2, lastUsed: now() - age, expires: now() + 7 * 86_400, browser, address: "192.0.2.7", method };
}

export function appStart(handle: string): AppStart {
  const secret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";
  return { ceremony: crypto.randomUUID(), secret, otpauth: `otpauth://totp/Matrix%20OS:${handle}?secret=${secret}&issuer=Matrix%20OS` };
}

/** The stand-in writes the handle into the passkey's user id, so it can read it back. */
export function registration(handle: string) {
  const id = btoa(handle).replaceAll("=", "").replaceAll("+", "-").replaceAll("/", "_");
  return {
    rp: { name: "Matrix OS", id: "localhost" },
    user: { id, name: handle, displayName: handle },
    challenge: CHALLENGE,
    pubKeyCredParams: [{ type: "public-key", alg: -7 }],
    timeout: 300_000,
    authenticatorSelection: { residentKey: "required", requireResidentKey: true, userVerification: "required" },
  };
}

/** `low…` is near the end of the budget, `out…` has come to it. */
function usage(handle: string, own_key: number | null): Usage {
  const remaining_nanos = handle.startsWith("out") ? 0 : handle.startsWith("low") ? 700_000_000 : 4_310_000_000;
  const row = { calls: 12, input_tokens: 1_234, output_tokens: 5_678, cache_write_tokens: 2_000, cache_read_tokens: 34_567, cost_nanos: 310_000_000, own_key_nanos: 0 };
  const days = [
    { ...row, day: "2026-11-27", model: "claude-sonnet-5-5" },
    { ...row, day: "2026-11-28", model: "claude-haiku-5-5", calls: 1, cost_nanos: 170_000 },
    { ...row, day: "2026-11-28", model: "claude-sonnet-5-5" },
  ];
  return { quota_nanos: 5_000_000_000, spent_nanos: 5_000_000_000 - remaining_nanos, remaining_nanos, own_key_nanos: 0, in_flight: 1, own_key, days };
}
