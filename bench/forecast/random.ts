/** `count` of the entries, drawn without putting back (xorshift32), in their own order; all of them when there are fewer. */
export function pick<T>(entries: readonly T[], count: number, seed: number): T[] {
  let state = seed | 0 || 1;
  const drawn = entries.map((entry, place) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return { entry, place, rank: state >>> 0 };
  });
  const kept = drawn.sort((a, b) => a.rank - b.rank).slice(0, count);
  return kept.sort((a, b) => a.place - b.place).map(({ entry }) => entry);
}
