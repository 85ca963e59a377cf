// The two passkey ceremonies, and what their failures mean to a person.
import { type PublicKeyCredentialCreationOptionsJSON, type RegistrationResponseJSON, WebAuthnError, browserSupportsWebAuthn, startAuthentication, startRegistration } from "@simplewebauthn/browser";
import * as api from "./api.ts";
import { Problem, codeOf, isSilence } from "./problem.ts";
import type { Arrival, Passkey } from "./wire.ts";

/** Whether this browser can make and use passkeys here at all. */
export const passkeysSupported = browserSupportsWebAuthn;

/** Makes a passkey and with it the account. `saving` is called once the passkey exists and the platform is being told. */
export function signUp(handle: string, feed: boolean, saving: () => void): Promise<Arrival> {
  return withFreshCeremony(async () => {
    mustSupport();
    const { ceremony, publicKey } = await api.signupStart(handle);
    const credential = await startRegistration({ optionsJSON: publicKey }).catch(fail);
    saving();
    return api.signupFinish({ ceremony, credential, feed }).catch((error) => {
      if (isRefusal(error)) forget(publicKey.rp.id, credential.id);
      throw isSilence(error) ? UNSURE : error;
    });
  });
}

/** The last word of a sign-up got lost: the account may exist, and then its passkey opens it. */
const UNSURE = new Problem(
  "signup_unsure",
  "The connection broke while your account was being made. Your passkey is kept: sign in with it. If it is not known, sign up again.",
);

interface SignIn {
  /** Quietly, in the browser's own suggestions. */
  offered?: boolean;
  /** Called once the person has picked a passkey. */
  picked?: () => void;
  /** Ends it before the browser is asked, so that a late offer does not take the place of a ceremony that came after it. */
  signal?: AbortSignal;
}

/** Signs in with whichever passkey the person picks. */
export function signIn({ offered = false, picked, signal }: SignIn = {}): Promise<Arrival> {
  let quietly = offered;
  return withFreshCeremony(async () => {
    mustSupport();
    const { ceremony, publicKey } = await api.loginStart();
    if (signal?.aborted) throw new Problem("aborted", "That was stopped.");
    const credential = await startAuthentication({ optionsJSON: publicKey, useBrowserAutofill: quietly }).catch(fail);
    quietly = false;
    picked?.();
    return api.loginFinish({ ceremony, credential });
  });
}

/** Proves that the person who is signed in is here, with a passkey of the account. */
export function verify(): Promise<unknown> {
  return withFreshCeremony(async () => {
    mustSupport();
    const { ceremony, publicKey } = await api.verifyStart();
    const credential = await startAuthentication({ optionsJSON: publicKey }).catch(fail);
    return api.verifyFinish({ ceremony, credential });
  });
}

type Begun = api.Ceremony<PublicKeyCredentialCreationOptionsJSON>;

/**
 * One more passkey of an account, for a ceremony that has begun. What is returned saves it under a name and may be called
 * again after a failure: the device is asked once only.
 */
export function newPasskey({ ceremony, publicKey }: Begun): (name: string) => Promise<Passkey> {
  let made: RegistrationResponseJSON | undefined;
  return async (name) => {
    mustSupport();
    const credential = (made ??= await startRegistration({ optionsJSON: publicKey }).catch(fail));
    return api.passkeyFinish({ ceremony, credential, name }).catch((error) => {
      if (isRefusal(error)) forget(publicKey.rp.id, credential.id);
      throw error;
    });
  };
}

/** A ceremony that waited too long is begun anew, once, without a word. */
export async function withFreshCeremony<T>(attempt: () => Promise<T>): Promise<T> {
  try {
    return await attempt();
  } catch (error) {
    if (codeOf(error) === "ceremony_expired") return attempt();
    throw error;
  }
}

function mustSupport(): void {
  if (passkeysSupported()) return;
  if (!globalThis.isSecureContext) throw WRONG_PLACE();
  throw new Problem("passkeys_unsupported", "This browser cannot use passkeys. Open this page in a current Chrome, Safari, Edge or Firefox.");
}

/** The platform looked at the passkey and said no, so the one on the device opens nothing. */
function isRefusal(error: unknown): boolean {
  const code = codeOf(error);
  return code === "handle_taken" || code === "handle_invalid" || code === "ceremony_expired" || code === "passkey_rejected";
}

/** Asks the device to drop a passkey that opens nothing (WebAuthn level 3, section 5.1.10). A courtesy: it may say no. */
function forget(rpId: string | undefined, credentialId: string): void {
  const signal = (globalThis.PublicKeyCredential as unknown as { signalUnknownCredential?: (o: object) => Promise<void> })?.signalUnknownCredential;
  signal?.call(PublicKeyCredential, { rpId: rpId ?? location.hostname, credentialId }).catch(() => undefined);
}

function fail(error: unknown): never {
  throw passkeyProblem(error);
}

const WRONG_PLACE = () => new Problem("passkey_wrong_place", "Passkeys do not work at this address. Open the platform by its own name, over https.");

/** What the browser's refusal means. Browsers say `NotAllowedError` for cancelled, timed out and no passkey alike, on purpose. */
export function passkeyProblem(error: unknown): Problem {
  if (error instanceof WebAuthnError && error.code === "ERROR_CEREMONY_ABORTED") return new Problem("aborted", "That was stopped.");
  const cause = error instanceof WebAuthnError ? error.cause : error;
  switch (cause instanceof Error ? cause.name : "") {
    case "AbortError":
      return new Problem("aborted", "That was stopped.");
    case "NotAllowedError":
      return new Problem("passkey_cancelled", "No passkey was used: the window was closed, or the time was up. Nothing has changed. Try again when you like.");
    case "InvalidStateError":
      return new Problem("passkey_present", "This device already holds a passkey for this account. Sign in with it instead.");
    case "ConstraintError":
    case "NotSupportedError":
      return new Problem("passkey_unfit", "This device cannot keep a passkey. Set a screen lock, or use a phone, a password manager or a security key that can.");
    case "SecurityError":
      return WRONG_PLACE();
    default:
      return new Problem("passkey_failed", "Your browser could not use a passkey just now. Try again, or try another browser.");
  }
}
