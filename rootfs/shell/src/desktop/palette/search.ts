// Which entries answer what was typed, the best first. Pure.

export interface Searched {
  name: string;
  /** Other words for it. */
  also?: string;
}

const plain = (text: string) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

/** How well an entry answers, or nothing: every word typed must begin a word of it, or at least lie within; its name counts more. */
export function score({ name, also = "" }: Searched, typed: string): number | undefined {
  const words = plain(typed).split(/\s+/).filter(Boolean);
  const [title, more] = [plain(name), plain(also)];
  let sum = 0;
  for (const word of words) {
    const found = within(title, word, 4) ?? within(more, word, 1);
    if (found === undefined) return undefined;
    sum += found;
  }
  return title.startsWith(plain(typed).trim()) ? sum + 3 : sum;
}

function within(text: string, word: string, weight: number): number | undefined {
  const at = text.indexOf(word);
  if (at === -1) return undefined;
  const begins = text.split(/[^\p{L}\p{N}]+/u).some((one) => one.startsWith(word));
  return begins ? weight * 2 : weight;
}

/** Those that answer, the best first; of equals the earlier. All of them while nothing is typed. */
export function search<T extends Searched>(entries: readonly T[], typed: string): T[] {
  const scored = entries.map((entry) => ({ entry, value: score(entry, typed) }));
  return scored
    .filter(({ value }) => value !== undefined)
    .toSorted((a, b) => (b.value ?? 0) - (a.value ?? 0))
    .map(({ entry }) => entry);
}
