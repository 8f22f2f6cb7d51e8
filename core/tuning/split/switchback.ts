import { mean } from '../../forecast/series.js';
import type { Generator } from '../bandit/generator.js';

/**
 * Where a split would spill over (what one proxy lets in takes the room that another would have had), candidate and
 * incumbent run in turns for all: pairs of blocks in random order. Of each block the first tick is left out, because
 * queues still are what the other block made them. A pair gives one difference; a sequence of them is judged as a
 * split's is. What load does between two blocks is noise that random order keeps from being bias.
 */
export interface Switchback {
  /** The first block of the pair that runs takes the candidate. */
  candidateFirst: boolean;
  /** Of the pair, from 0. */
  tick: number;
  /** Reward shares of the pair so far. */
  candidate: readonly number[];
  incumbent: readonly number[];
}

/** Ticks of a block, and those of them that are left out. */
const BLOCK_TICKS = 2;
const SETTLING_TICKS = 1;

export function newPair(random: Generator): Switchback {
  return { candidateFirst: random.uniform() < 0.5, tick: 0, candidate: [], incumbent: [] };
}

/** What the coming tick of the pair runs. */
export function runsCandidate({ candidateFirst, tick }: Switchback): boolean {
  return tick < BLOCK_TICKS === candidateFirst;
}

/** After a tick of reward share `share`. `difference`: of a pair that has ended, else `null`. */
export function afterTick(pair: Switchback, share: number): { pair: Switchback; difference: number | null } {
  const counts = pair.tick % BLOCK_TICKS >= SETTLING_TICKS;
  const side = runsCandidate(pair) ? 'candidate' : 'incumbent';
  const next = { ...pair, tick: pair.tick + 1, ...(counts ? { [side]: [...pair[side], share] } : {}) };
  if (next.tick < 2 * BLOCK_TICKS) return { pair: next, difference: null };
  return { pair: next, difference: mean(next.candidate) - mean(next.incumbent) };
}
