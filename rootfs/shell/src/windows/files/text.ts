// Telling text from other bytes.

/** The bytes as text, or nothing when they are none. A character cut off at the end is left out, unless the text is said to be whole. */
export function textOf(content: Uint8Array, whole = false): string | undefined {
  if (content.includes(0)) return undefined;
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(content, { stream: !whole });
  } catch {
    return undefined;
  }
}
