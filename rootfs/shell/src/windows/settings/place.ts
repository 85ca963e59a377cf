// Where this computer is: below a platform's domain by its handle, or by itself.

export const isOnPlatform = (host: string, handle: string) => handle !== "" && host.startsWith(`${handle}.`) && host.length > handle.length + 1;
