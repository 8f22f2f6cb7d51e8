import type { Generator } from '../bandit/generator.js';

export interface Halves {
  /** They take the candidate. */
  candidate: readonly number[];
  /** They keep what runs. */
  incumbent: readonly number[];
}

/** At random, so that neither half is the better one by more than chance; `null` where there are no two. */
export function halvesOf(members: readonly number[], random: Generator): Halves | null {
  if (members.length < 2) return null;
  const shuffled = [...members];
  for (let i = shuffled.length - 1; i > 0; i--) {
    const j = Math.floor(random.uniform() * (i + 1));
    [shuffled[i], shuffled[j]] = [shuffled[j]!, shuffled[i]!];
  }
  const half = Math.floor(shuffled.length / 2);
  const rising = (some: number[]): number[] => some.sort((a, b) => a - b);
  return { candidate: rising(shuffled.slice(0, half)), incumbent: rising(shuffled.slice(half)) };
}
