import { BIN_ROOM } from './bins.js';

/** A binary tree as arrays by node; the root is node 0. A leaf has feature −1. */
export interface Tree {
  feature: Int16Array;
  /** Rows whose bin is at most this go left. */
  bin: Uint8Array;
  left: Int16Array;
  right: Int16Array;
  value: Float64Array;
}

export interface TreeShape {
  leaves: number;
  /** Weight of the rows that a leaf must have at least. */
  leafWeight: number;
  /** Weight of rows without any error that each leaf is given besides: pulls small leaves to nothing. */
  shrink: number;
}

export interface TreeRows {
  /** Bin by column, then by row. */
  columns: readonly Uint8Array[];
  /** By row: how far, weighted, the forecast is below what came. */
  gradient: Float64Array;
  weight: Float64Array;
}

/** Gains closer than this share are alike. */
const TIE = 1e-9;

interface Leaf {
  node: number;
  /** Part of the rows, by place in the order. */
  from: number;
  to: number;
  sum: number;
  weight: number;
  histogram: Float64Array;
  split: Split | null;
}

interface Split {
  gain: number;
  column: number;
  bin: number;
}

/**
 * Grows trees on the same columns one after another, the leaf that gains most first, by histograms of gradient and
 * weight (Ke et al. 2017, LightGBM). A leaf's value is its mean gradient by weight, shrunk. `rows.gradient` is read anew
 * for each tree.
 */
export class Grower {
  private order: Int32Array = new Int32Array();
  private used: readonly number[] = [];
  private readonly spare: Int32Array;
  private readonly gradientInOrder: Float64Array;
  private readonly weightInOrder: Float64Array;
  private readonly histograms: Float64Array[] = [];
  private histogramsTaken = 0;

  private readonly rows: TreeRows;
  private readonly shape: TreeShape;

  constructor(rows: TreeRows, shape: TreeShape) {
    this.rows = rows;
    this.shape = shape;
    this.spare = new Int32Array(rows.weight.length);
    this.gradientInOrder = new Float64Array(rows.weight.length);
    this.weightInOrder = new Float64Array(rows.weight.length);
  }

  /** One tree on the rows and columns that are named; the former are brought into another order. */
  grow(drawn: Int32Array, used: readonly number[]): Tree {
    this.order = drawn;
    this.used = used;
    this.histogramsTaken = 0;
    const most = this.shape.leaves;
    const nodes = 2 * most - 1;
    const tree: Tree = {
      feature: new Int16Array(nodes).fill(-1),
      bin: new Uint8Array(nodes),
      left: new Int16Array(nodes),
      right: new Int16Array(nodes),
      value: new Float64Array(nodes),
    };
    const leaves = [this.leafOf(0, 0, drawn.length, this.histogramOf(0, drawn.length))];
    for (let next = 1; leaves.length < most; next += 2) {
      const best = leaves.reduce((a, b) => ((b.split?.gain ?? 0) > (a.split?.gain ?? 0) ? b : a));
      const { node, split } = best;
      if (split === null) break;
      tree.feature[node] = split.column;
      tree.bin[node] = split.bin;
      tree.left[node] = next;
      tree.right[node] = next + 1;
      leaves.splice(leaves.indexOf(best), 1, ...this.parted(best, split, next));
    }
    for (const { node, sum, weight } of leaves) tree.value[node] = sum / (weight + this.shape.shrink);
    return tree;
  }

  /** Both sides of a split; the histogram of the larger one is what the smaller one leaves of their parent's. */
  private parted(leaf: Leaf, { column, bin }: Split, node: number): [Leaf, Leaf] {
    const middle = this.partition(leaf, this.rows.columns[column] ?? new Uint8Array(), bin);
    const leftIsSmall = middle - leaf.from <= leaf.to - middle;
    const small = leftIsSmall ? this.histogramOf(leaf.from, middle) : this.histogramOf(middle, leaf.to);
    const large = leaf.histogram;
    for (let at = 0; at < small.length; at++) large[at] = (large[at] ?? 0) - (small[at] ?? 0);
    return [
      this.leafOf(node, leaf.from, middle, leftIsSmall ? small : large),
      this.leafOf(node + 1, middle, leaf.to, leftIsSmall ? large : small),
    ];
  }

  private partition({ from, to }: Leaf, bins: Uint8Array, bin: number): number {
    const { order, spare } = this;
    let left = from;
    let right = 0;
    for (let at = from; at < to; at++) {
      const row = order[at] ?? 0;
      if ((bins[row] ?? 0) <= bin) order[left++] = row;
      else spare[right++] = row;
    }
    order.set(spare.subarray(0, right), left);
    return left;
  }

  private histogramOf(from: number, to: number): Float64Array {
    const { order, used, gradientInOrder, weightInOrder } = this;
    const { gradient, weight, columns } = this.rows;
    // Once for all columns: each of them then reads these two in order.
    for (let at = from; at < to; at++) {
      const row = order[at] ?? 0;
      gradientInOrder[at] = gradient[row] ?? 0;
      weightInOrder[at] = weight[row] ?? 0;
    }
    const histogram = this.emptyHistogram(used.length * 2 * BIN_ROOM);
    for (const [place, column] of used.entries()) {
      const bins = columns[column] ?? new Uint8Array();
      const base = place * 2 * BIN_ROOM;
      for (let at = from; at < to; at++) {
        const cell = base + 2 * (bins[order[at] ?? 0] ?? 0);
        histogram[cell] = (histogram[cell] ?? 0) + (gradientInOrder[at] ?? 0);
        histogram[cell + 1] = (histogram[cell + 1] ?? 0) + (weightInOrder[at] ?? 0);
      }
    }
    return histogram;
  }

  /** Taken again for the next tree: a fresh one for each leaf keeps the collector busy. */
  private emptyHistogram(cells: number): Float64Array {
    const place = this.histogramsTaken++;
    const known = this.histograms[place];
    if (known?.length === cells) return known.fill(0);
    const made = new Float64Array(cells);
    this.histograms[place] = made;
    return made;
  }

  private leafOf(node: number, from: number, to: number, histogram: Float64Array): Leaf {
    let sum = 0;
    let weight = 0;
    for (let cell = 0; cell < 2 * BIN_ROOM; cell += 2) {
      sum += histogram[cell] ?? 0;
      weight += histogram[cell + 1] ?? 0;
    }
    return { node, from, to, sum, weight, histogram, split: this.bestSplit(histogram, sum, weight) };
  }

  private bestSplit(histogram: Float64Array, sum: number, weight: number): Split | null {
    const { used } = this;
    const { leafWeight, shrink } = this.shape;
    if (weight < 2 * leafWeight) return null;
    const whole = (sum * sum) / (weight + shrink);
    let best = 1e-12;
    let place = -1;
    let bin = 0;
    for (let index = 0; index < used.length; index++) {
      let leftSum = 0;
      let leftWeight = 0;
      const base = index * 2 * BIN_ROOM;
      for (let cell = 0; cell < BIN_ROOM - 1; cell++) {
        leftSum += histogram[base + 2 * cell] ?? 0;
        leftWeight += histogram[base + 2 * cell + 1] ?? 0;
        const rightWeight = weight - leftWeight;
        if (rightWeight < leafWeight) break;
        if (leftWeight < leafWeight) continue;
        const rightSum = sum - leftSum;
        const gain =
          (leftSum * leftSum) / (leftWeight + shrink) + (rightSum * rightSum) / (rightWeight + shrink) - whole;
        // Of columns that split alike the first is taken, not the one that rounding favours.
        if (gain <= best * (1 + TIE)) continue;
        best = gain;
        place = index;
        bin = cell;
      }
    }
    return place < 0 ? null : { gain: best, column: used[place] ?? 0, bin };
  }
}

/** Adds a tree's value, times `rate`, to what each row has. */
export function addTree(tree: Tree, columns: readonly Uint8Array[], rate: number, sums: Float64Array): void {
  const { feature, bin, left, right, value } = tree;
  for (let row = 0; row < sums.length; row++) {
    let node = 0;
    for (let column = feature[0] ?? -1; column >= 0; column = feature[node] ?? -1) {
      const own = columns[column]?.[row] ?? 0;
      node = (own <= (bin[node] ?? 0) ? left[node] : right[node]) ?? 0;
    }
    sums[row] = (sums[row] ?? 0) + rate * (value[node] ?? 0);
  }
}
