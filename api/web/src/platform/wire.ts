// What the platform's API says: the shapes of its answers, as they travel.

export interface HandleAnswer {
  handle: string;
  available: boolean;
  message?: string;
  suggestions: string[];
}

export interface Me {
  handle: string;
  /** URL of the person's desktop. */
  computer: string;
  /** Whether their activity may appear in the public feed. */
  feed: boolean;
  admin: boolean;
  /** When the account will be deleted, in seconds since 1970; null unless its owner asked for that. */
  deletion: number | null;
}

export type Arrival = Pick<Me, "handle" | "computer">;

export type ComputerState = "absent" | "starting" | "running" | "frozen" | "asleep" | "archived" | "stopping" | "stopped" | "broken";
export type StepName = "home" | "container" | "desktop";
export type StepState = "waiting" | "doing" | "done" | "failed";

export interface Step {
  name: StepName;
  state: StepState;
  /** How long it took, in milliseconds, as measured by the platform. */
  ms?: number;
}

export interface Computer {
  state: ComputerState;
  /** Why it is stopped, broken or takes longer, for people. */
  reason?: string;
  steps: Step[];
}

export interface Stats {
  running: number;
  computers: number;
}

export interface Profile {
  handle: string;
  /** ISO date. */
  since: string;
  /** What they say about themselves: plain text of their own, never markup. */
  about: string | null;
}

/** The start of an authenticator app: what the QR code says, and the same for typing. */
export interface AppStart {
  ceremony: string;
  /** Base32. */
  secret: string;
  /** An `otpauth://` URL. */
  otpauth: string;
}

export interface RecoveryCodes {
  recoveryCodes: string[];
}

export interface CodeArrival extends Arrival {
  /** How many recovery codes are left; only there when one was used. */
  recoveryCodesLeft?: number;
}

/** All times are seconds since 1970. */
export interface Passkey {
  id: string;
  name: string;
  created: number;
  lastUsed: number | null;
}

export interface Security {
  passkeys: Passkey[];
  totp: { since: number } | null;
  recoveryCodes: { left: number; of: number } | null;
  freshUntil: number;
}

export type Method = "passkey" | "totp" | "recovery_code";

export interface Session {
  id: string;
  current: boolean;
  created: number;
  lastUsed: number;
  expires: number;
  browser: string;
  address: string | null;
  method: Method;
}

export interface AuditEvent {
  number: number;
  at: number;
  what: string;
  detail: string | null;
  address: string | null;
  browser: string | null;
  by: "self" | "operator" | "administrator" | "stranger";
}

export interface AuditPage {
  events: AuditEvent[];
  /** What to ask for next; null at the end. */
  next: number | null;
}

/** How the budget for AI calls stands. Money is in nano-dollars. */
export interface Usage {
  quota_nanos: number;
  spent_nanos: number;
  remaining_nanos: number;
  own_key_nanos: number;
  in_flight: number;
  /** Since when a key of one's own pays, in seconds since 1970; null if none does. */
  own_key: number | null;
  days: Spending[];
}

/** What one model was used for on one day. */
export interface Spending {
  /** ISO date. */
  day: string;
  model: string;
  calls: number;
  input_tokens: number;
  output_tokens: number;
  cache_write_tokens: number;
  cache_read_tokens: number;
  cost_nanos: number;
  /** What one's own key paid for. */
  own_key_nanos: number;
}
