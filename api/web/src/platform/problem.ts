// Anything that can go wrong, as a code for the program and a text for the person.
import { duration } from "./words.ts";

export type ProblemCode =
  // from the platform
  | "handle_invalid"
  | "handle_taken"
  | "ceremony_expired"
  | "passkey_rejected"
  | "passkey_unknown"
  | "passkey_known"
  | "code_rejected"
  | "not_signed_in"
  | "verify_first"
  | "not_admin"
  | "last_factor"
  | "too_many_passkeys"
  | "name_invalid"
  | "key_invalid"
  | "confirm_mismatch"
  | "deletion_pending"
  | "export_under_way"
  | "invite_invalid"
  | "too_many_requests"
  | "busy"
  | "not_found"
  | "bad_request"
  | "forbidden_origin"
  | "internal"
  // from this side
  | "offline"
  | "no_answer"
  | "passkeys_unsupported"
  | "passkey_cancelled"
  | "passkey_present"
  | "passkey_unfit"
  | "passkey_wrong_place"
  | "passkey_failed"
  | "signup_unsure"
  | "aborted";

export class Problem extends Error {
  override readonly name = "Problem";

  constructor(
    readonly code: ProblemCode,
    message: string,
    readonly suggestions: readonly string[] = [],
  ) {
    super(message);
  }
}

/** The code of whatever was thrown; `undefined` when it is no problem of ours but a mistake in the program. */
export function codeOf(thrown: unknown): ProblemCode | undefined {
  return thrown instanceof Problem ? thrown.code : undefined;
}

/** Nobody knows whether the platform heard it. */
export function isSilence(thrown: unknown): boolean {
  const code = codeOf(thrown);
  return code === "offline" || code === "no_answer";
}

/** What a form shows: the text, and the code that says where. */
export interface Trouble {
  code?: ProblemCode;
  text: string;
}

export const troubleOf = (thrown: unknown): Trouble | undefined => (thrown === undefined ? undefined : { code: codeOf(thrown), text: textOf(thrown) });

/** The text to show for whatever was thrown. */
export function textOf(thrown: unknown): string {
  return thrown instanceof Problem ? thrown.message : "This page made a mistake. Load it again; what you did so far is kept.";
}

interface ErrorBody {
  error?: { code?: string; message?: string; suggestions?: string[] };
}

/** The problem that an HTTP answer other than 2xx stands for. `retryAfter` is the header, in seconds. */
export function problemOfAnswer(status: number, body: unknown, retryAfter: string | null): Problem {
  const { code, message, suggestions } = (body as ErrorBody | null)?.error ?? {};
  const known = (code ?? codeOfStatus(status)) as ProblemCode;
  return new Problem(known, withWait(known, message, retryAfter), suggestions);
}

function codeOfStatus(status: number): ProblemCode {
  const codes: Record<number, ProblemCode> = { 401: "not_signed_in", 403: "forbidden_origin", 404: "not_found", 429: "too_many_requests", 503: "busy" };
  return codes[status] ?? (status < 500 ? "bad_request" : "internal");
}

function withWait(code: ProblemCode, message: string | undefined, retryAfter: string | null): string {
  const seconds = Number(retryAfter ?? NaN);
  const when = seconds > 0 ? `in ${duration(seconds * 1000)}` : "in a minute";
  if (code === "too_many_requests") return `That was a lot of tries from here. Please try again ${when}.`;
  if (code === "busy") return `The platform is busy at the moment. Please try again ${when}.`;
  return message ?? "The platform could not do that. Please try again in a minute.";
}
