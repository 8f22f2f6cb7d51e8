const FIRST_MS = 250;
const LONGEST_MS = 30_000;

/** Pause before the next attempt after `failures` in a row: doubling, with half of it left to chance. */
export function backOffMs(failures: number, random: () => number): number {
  const longest = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(failures - 1, 16));
  return Math.round(longest * (0.5 + random() / 2));
}
