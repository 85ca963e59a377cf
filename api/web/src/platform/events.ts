// The activity log in words.
import type { AuditEvent, Method } from "./wire.ts";

const WORDS: Record<string, string> = {
  signed_up: "Account created",
  signed_in: "Signed in",
  sign_in_refused: "Sign-in refused: the code did not fit",
  signed_out: "Signed out",
  session_revoked: "A browser was signed out",
  sessions_revoked: "Signed out everywhere",
  refresh_reused: "A copied session was noticed and ended",
  verified: "Confirmed that it is you",
  passkey_added: "Passkey added",
  passkey_renamed: "Passkey renamed",
  passkey_removed: "Passkey removed",
  totp_set: "Authenticator app set up",
  totp_removed: "Authenticator app removed",
  recovery_codes_made: "New recovery codes made",
  recovery_code_used: "Recovery code used",
  data_exported: "Everything was downloaded",
  deletion_requested: "Deletion of the account requested",
  deletion_undone: "Deletion of the account undone",
  admin_granted: "Became an administrator",
  admin_revoked: "No longer an administrator",
  own_key_set: "Own key for AI calls given",
  own_key_removed: "Own key for AI calls removed",
  quota_set: "AI budget changed",
  computer_stopped: "Computer stopped",
  computer_started: "Computer started",
};

/** What happened; the platform's own word for what is not known here yet. */
export const eventWords = (what: string) => (Object.hasOwn(WORDS, what) ? (WORDS[what] ?? what) : what);

/** What happened, and to what. An administrator's name is said with where it came from. */
export const eventName = ({ what, detail, by }: AuditEvent) => (detail && by !== "administrator" ? `${eventWords(what)}: ${detail}` : eventWords(what));

/** Something that its owner should look at twice. */
export const isAlarming = ({ what, by }: AuditEvent) => by === "stranger" || what === "refresh_reused" || what === "sign_in_refused";

export const METHOD_WORDS: Record<Method, string> = { passkey: "with a passkey", totp: "with the authenticator app", recovery_code: "with a recovery code" };

/** Where it came from: browser, address, and who did it if not oneself. */
export function origins({ browser, address, by, detail }: AuditEvent): string {
  const who = { self: undefined, operator: "by the operator", administrator: `by the administrator ${detail ?? ""}`.trim(), stranger: "by somebody who was not signed in" }[by];
  return [who, browser, address].filter(Boolean).join(" · ");
}
