// Telling text from other bytes.

/** The bytes as text, or nothing when they are none. A character cut off at the end is left out. */
export function textOf(content: Uint8Array): string | undefined {
  if (content.includes(0)) return undefined;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(content, { stream: true });
  } catch {
    return undefined;
  }
}
