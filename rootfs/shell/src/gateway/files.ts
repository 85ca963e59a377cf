// The files of the home, as the gateway serves them.
import { contentUrl } from "../windows/files/paths.ts";
import { GatewayError, OFFLINE, ask, askJson, errorFrom, sendJson } from "./http.ts";

export interface Entry {
  name: string;
  kind: "file" | "directory" | "symlink" | "other";
  /** Bytes. */
  size: number;
  /** Unix time in milliseconds; null when the file system does not know. */
  modified: number | null;
  /** The name is not UTF-8: it is shown, but cannot be asked for. */
  lossy?: boolean;
}

export interface Listing {
  path: string;
  entries: Entry[];
  /** The folder holds more than the gateway lists. */
  truncated?: boolean;
}

export function list(path: string, signal?: AbortSignal): Promise<Listing> {
  return askJson(`/api/files/list?path=${encodeURIComponent(path)}`, signal ? { signal } : {});
}

export const makeFolder = (path: string) => sendJson("POST", "/api/files/mkdir", { path });
export const rename = (from: string, to: string) => sendJson("POST", "/api/files/rename", { from, to });
export const trash = (path: string) => sendJson("POST", "/api/files/trash", { path });

/** Back to where it was; answers where it is. */
export const restore = async (path: string) => (await sendJson("POST", "/api/files/restore", { path })).json() as Promise<{ path: string }>;
export const emptyTrash = () => ask("/api/files/trash", { method: "DELETE" });

/** A whole file, and nothing of it when it is larger than `most` bytes. */
export async function readWhole(path: string, most: number, signal: AbortSignal): Promise<Uint8Array | undefined> {
  const content = await readStart(path, most + 1, signal);
  return content.length > most ? undefined : content;
}

/** Replaces the content of a file, in one step. */
export const writeText = (path: string, text: string) => ask(contentUrl(path), { method: "PUT", headers: { "content-type": "application/octet-stream" }, body: text });

/** At most `most` bytes from the start of a file. */
export async function readStart(path: string, most: number, signal: AbortSignal): Promise<Uint8Array> {
  const answer = await ask(contentUrl(path), { signal, headers: { range: `bytes=0-${most - 1}` } }).catch((error: unknown) => {
    // An empty file has no first byte: 416 (RFC 9110, 14.4).
    if (error instanceof GatewayError && error.status === 416) return new Response("");
    throw error;
  });
  return new Uint8Array(await answer.arrayBuffer());
}

/** Sends a file. `fetch` cannot tell how far an upload has come, hence XMLHttpRequest. */
export function upload(path: string, file: Blob, onProgress: (part: number) => void, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("PUT", contentUrl(path));
    request.setRequestHeader("content-type", "application/octet-stream");
    request.upload.onprogress = ({ loaded, total }) => onProgress(total ? loaded / total : 1);
    request.onload = () => (request.status < 300 ? resolve() : reject(errorFrom(request.status, request.responseText)));
    request.onerror = () => reject(new GatewayError("offline", OFFLINE));
    request.onabort = () => reject(new GatewayError("cancelled", "Cancelled."));
    signal.addEventListener("abort", () => request.abort(), { once: true });
    request.send(file);
  });
}
