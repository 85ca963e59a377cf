// One text and the file it came from: what is stored, what was typed, and who has changed what. Pure.

import type { Draft } from "./drafts.ts";

/** Bytes of a file that is edited here. */
export const LARGEST = 1 << 20;

export interface Document {
  /** As it was last read from the disk, or written to it. */
  stored: string;
  text: string;
  /** What is on the disk now, when it is not what was stored and there is something typed to lose; null: the file is gone. */
  other?: string | null;
}

export const opened = (stored: string): Document => ({ stored, text: stored });
export const isDirty = ({ stored, text }: Document) => stored !== text;

/** The file was read again. Who has typed nothing sees it at once; otherwise they are asked. */
export function seen(document: Document, now: string | null): Document {
  const { stored, text } = document;
  if (now === text) return opened(text);
  if (now === stored) return { stored, text };
  if (now !== null && !isDirty(document)) return opened(now);
  return { stored, text, other: now };
}

/** A draft that was left, beside what is in the file now. */
export function drafted({ text, base }: Pick<Draft, "text" | "base">, now: string | null): Document {
  return seen({ stored: base, text }, now);
}

/** `text` was written to the disk; what was typed meanwhile is still to be saved. */
export const written = ({ text }: Document, saved: string): Document => ({ stored: saved, text });

/** What is on the disk is taken, what was typed given up. */
export const reloaded = (document: Document): Document => (typeof document.other === "string" ? opened(document.other) : document);

/** What was typed is kept, and counts as a change of what is on the disk now. */
export const kept = ({ text, other }: Document): Document => ({ stored: typeof other === "string" ? other : "", text });

export const linesOf = (text: string) => text.split("\n").length;
