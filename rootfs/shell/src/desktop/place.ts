// Where this computer is: below a platform's domain by its handle, or by itself.
import { handleFromHost, useIdentity, type Identity } from "./handle.ts";

/** Until the computer has told who it is, its address does. */
export function isOnPlatform(host: string, identity: Identity | undefined): boolean {
  if (!identity) return handleFromHost(host) !== undefined;
  return identity.handle !== "" && host === `${identity.handle}.${identity.domain}`;
}

/** Whether there is a platform around this computer: accounts, budgets, sleep, neighbours. */
export const useOnPlatform = () => isOnPlatform(location.hostname, useIdentity());
