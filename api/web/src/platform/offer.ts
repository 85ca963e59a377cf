// The browser's quiet offer of a passkey in a field (WebAuthn conditional mediation), kept alive while a page is open.
import { WebAuthnAbortService } from "@simplewebauthn/browser";
import { codeOf } from "./problem.ts";

/** A challenge lives five minutes on the platform; an offer is made anew before that. */
export const RENEW_MS = 4 * 60_000;

interface Offer<T> {
  /** One ceremony; rejects with `aborted` when it is ended from outside. */
  attempt: () => Promise<T>;
  /** Ends the offering; what comes after that is ignored. */
  signal: AbortSignal;
}

/** Offers until something is picked. `undefined` when nothing was and nothing more can be: that is no news for anybody. */
export async function keepOffering<T>({ attempt, signal }: Offer<T>): Promise<T | undefined> {
  while (!signal.aborted) {
    let over = false;
    const timer = setTimeout(() => {
      over = true;
      WebAuthnAbortService.cancelCeremony();
    }, RENEW_MS);
    try {
      return await attempt();
    } catch (error) {
      // Only our own renewal goes on: whoever else ended the ceremony begins another, and offers again when that is over.
      if (!over || codeOf(error) !== "aborted") throw error;
    } finally {
      clearTimeout(timer);
    }
  }
  return undefined;
}
