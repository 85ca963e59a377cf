// Whose computer this is: the first label of its address until the computer itself has said so.
import { useEffect, useState } from "react";
import { askJson } from "../gateway/http.ts";

export function handleFromHost(host: string): string | undefined {
  const label = host.split(".")[0] ?? "";
  return host.includes(".") && /^[a-z][a-z0-9-]{2,30}$/.test(label) ? label : undefined;
}

export function useHandle(): string {
  const [handle, setHandle] = useState(() => handleFromHost(location.hostname) ?? "");
  useEffect(() => {
    askJson<{ handle: string }>("/api/identity").then(
      (identity) => setHandle((known) => identity.handle || known),
      () => undefined, // The address has already told, and the top bar shows that the computer is away.
    );
  }, []);
  useEffect(() => {
    if (handle) document.title = `${handle} · Matrix OS`;
  }, [handle]);
  return handle;
}
