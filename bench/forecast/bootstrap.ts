import { createRandom } from '../../core/forecast/random.js';
import { mean } from '../../core/forecast/series.js';

export interface Interval {
  low: number;
  mean: number;
  high: number;
}

export interface BootstrapOptions {
  /** Consecutive values that are drawn together: neighbours in time are alike. 1: all are apart. */
  blockLength: number;
  seed: number;
}

const DRAWS = 2000;
const TAIL = 0.025;

/**
 * The mean of all values with a 95 % interval by the circular block bootstrap (percentiles of 2,000 draws). Each
 * group is one series in the order of time: blocks never cross from one to another, and every draw takes as many
 * values of a group as it has.
 */
export function bootstrapMean(groups: readonly (readonly number[])[], options: BootstrapOptions): Interval {
  const random = createRandom(options.seed);
  const count = groups.reduce((sum, group) => sum + group.length, 0);
  const means = Array.from({ length: DRAWS }, () => {
    const sum = groups.reduce((total, group) => total + sumOfBlocks(group, options.blockLength, random), 0);
    return sum / count;
  }).sort((a, b) => a - b);
  const at = (share: number): number => means[Math.round(share * (DRAWS - 1))] ?? Number.NaN;
  return { low: at(TAIL), mean: mean(groups.flat()), high: at(1 - TAIL) };
}

function sumOfBlocks(group: readonly number[], blockLength: number, random: () => number): number {
  const length = Math.min(blockLength, group.length);
  let sum = 0;
  let taken = 0;
  while (taken < group.length) {
    const start = Math.floor(random() * group.length);
    const size = Math.min(length, group.length - taken);
    for (let step = 0; step < size; step++) sum += group[(start + step) % group.length] ?? 0;
    taken += size;
  }
  return sum;
}

/** The cube root of the number of values: the usual growth of a block with the sample. */
export function blockLengthFor(values: number): number {
  return Math.max(1, Math.round(Math.cbrt(values)));
}
