// How long to wait before trying again: quick at first, since a supervisor's restart takes a second or two.
const FIRST_MS = 250;
const LONGEST_MS = 8_000;

/** Milliseconds before try number `failures` (0 = the first after a loss), spread by up to a quarter by `chance` in [0, 1). */
export function backOff(failures: number, chance: number = Math.random()): number {
  const plain = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(failures, 10));
  return Math.round(plain * (0.75 + 0.25 * chance));
}
