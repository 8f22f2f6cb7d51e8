import { createRandom } from '../../random.js';
import type { Tree, TreeShape } from './tree.js';
import { addTree, Grower } from './tree.js';

// Taken once: in a context of their own, as tests have, every use of a global is a look-up.
const { abs, max, min } = Math;

export interface BoostPlan extends TreeShape {
  trees: number;
  /** Share of a tree's correction that is believed. */
  rate: number;
  /** Share of rows, and of columns, that each tree is grown on. */
  rowShare: number;
  columnShare: number;
  /** Errors beyond so many of the mean absolute one count no more than there: one outlier shapes no tree. */
  clip: number;
}

export interface Boosted {
  trees: readonly Tree[];
  start: number;
  rate: number;
}

/**
 * Gradient boosting (Friedman 2001, Huber's loss): each tree corrects what the ones before it leave.
 * `columns[j][i]`: bin of column j in row i; `target` and `weight` by row.
 */
export function boost(
  columns: readonly Uint8Array[],
  target: Float64Array,
  weight: Float64Array,
  plan: BoostPlan,
  seed: number,
): Boosted {
  const random = createRandom(seed);
  const start = weightedMean(target, weight);
  const reached = new Float64Array(target.length).fill(start);
  const gradient = new Float64Array(target.length);
  const trees: Tree[] = [];
  const grower = new Grower({ columns, gradient, weight }, plan);
  const places = columns.map((_, index) => index).filter((index) => columns[index]?.some((bin) => bin > 0));
  for (let round = 0; round < plan.trees && places.length > 0; round++) {
    gradients(target, reached, weight, plan.clip, gradient);
    const used = drawn(places, plan.columnShare, random);
    const rows = drawnRows(target.length, plan.rowShare, random);
    const tree = grower.grow(rows, used);
    addTree(tree, columns, plan.rate, reached);
    trees.push(tree);
  }
  return { trees, start, rate: plan.rate };
}

export function predict({ trees, start, rate }: Boosted, columns: readonly Uint8Array[], rows: number): Float64Array {
  const sums = new Float64Array(rows).fill(start);
  for (const tree of trees) addTree(tree, columns, rate, sums);
  return sums;
}

function gradients(
  target: Float64Array,
  reached: Float64Array,
  weight: Float64Array,
  clip: number,
  out: Float64Array,
): void {
  let size = 0;
  for (let row = 0; row < out.length; row++) {
    out[row] = (target[row] ?? 0) - (reached[row] ?? 0);
    size += abs(out[row] ?? 0);
  }
  const most = (clip * size) / max(1, out.length);
  for (let row = 0; row < out.length; row++) {
    out[row] = (weight[row] ?? 0) * max(-most, min(most, out[row] ?? 0));
  }
}

function weightedMean(values: Float64Array, weight: Float64Array): number {
  let sum = 0;
  let total = 0;
  for (let row = 0; row < values.length; row++) {
    sum += (weight[row] ?? 0) * (values[row] ?? 0);
    total += weight[row] ?? 0;
  }
  return total > 0 ? sum / total : 0;
}

function drawn(places: readonly number[], share: number, random: () => number): number[] {
  const kept = places.map((place) => ({ place, rank: random() })).sort((a, b) => a.rank - b.rank);
  return kept.slice(0, max(1, Math.ceil(share * places.length))).map(({ place }) => place);
}

function drawnRows(rows: number, share: number, random: () => number): Int32Array {
  const kept = new Int32Array(rows);
  let count = 0;
  for (let row = 0; row < rows; row++) if (random() < share) kept[count++] = row;
  return kept.subarray(0, count);
}
