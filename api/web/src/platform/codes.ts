// Codes: the six digits of an authenticator app, its secret, and recovery codes, as people read, type and keep them.

/** What is sent for what was typed: apps show `123 456`, and people copy it so. */
export const bare = (typed: string) => typed.replace(/[\s-]/g, "");

/** Why a code cannot be right, without asking the platform; `undefined` if it can. */
export function codeTrouble(typed: string, kind: "app" | "recovery"): string | undefined {
  const code = bare(typed);
  if (kind === "app") return /^\d{6}$/.test(code) ? undefined : "The code has six digits. Your authenticator app shows a new one every 30 seconds.";
  return code.length >= 6 ? undefined : "Type one of the recovery codes that you saved, for example from the file matrix-os-recovery-codes.txt.";
}

/** A Base32 secret in groups of four, so that it can be typed without losing the place. */
export const grouped = (secret: string) => secret.replace(/(.{4})(?=.)/g, "$1 ");

export const CODES_FILE = "matrix-os-recovery-codes.txt";

/** The file that a person keeps. */
export function codesFile(handle: string, host: string, codes: readonly string[], today: string): string {
  const lines = [
    `Recovery codes of @${handle} at ${host}, made on ${today}.`,
    "Each signs you in once, when your authenticator app is not at hand.",
    "Whoever has them can sign in as you: keep them where only you look.",
    "",
    ...codes,
    "",
  ];
  return lines.join("\n");
}
