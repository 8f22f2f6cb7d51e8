import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { createRandom, normal } from '../../random.js';
import { mean } from '../../series.js';
import { binned, binningOf } from './bins.js';
import type { BoostPlan } from './boost.js';
import { boost, predict } from './boost.js';
import { Grower } from './tree.js';

const PLAN: BoostPlan = {
  trees: 100,
  leaves: 15,
  leafWeight: 10,
  shrink: 1,
  rate: 0.1,
  rowShare: 0.8,
  columnShare: 1,
  clip: 3,
};

function learned(columns: readonly Float64Array[], target: Float64Array, plan: BoostPlan = PLAN): Float64Array {
  const binning = binningOf(columns);
  const bins = binned(binning, columns);
  const forest = boost(bins, target, new Float64Array(target.length).fill(1), plan, 1);
  return predict(forest, bins, target.length);
}

function drawnColumns(rows: number, count: number): Float64Array[] {
  const random = createRandom(9);
  return Array.from({ length: count }, () => Float64Array.from({ length: rows }, () => random()));
}

const errorOf = (a: Float64Array, b: Float64Array): number =>
  mean([...a].map((value, row) => Math.abs(value - (b[row] ?? 0))));

describe('binning', () => {
  it('keeps the order of values, in equal bins where they differ', () => {
    const values = fc.array(fc.oneof(fc.double({ min: -1e6, max: 1e6, noNaN: true }), fc.constantFrom(0, 1)), {
      minLength: 1,
      maxLength: 300,
    });
    fc.assert(
      fc.property(values, (list) => {
        const column = Float64Array.from(list).sort();
        const [bins = new Uint8Array()] = binned(binningOf([column]), [column]);
        for (let row = 1; row < column.length; row++) {
          expect(bins[row]).toBeGreaterThanOrEqual(bins[row - 1] ?? 0);
          if (column[row] === column[row - 1]) expect(bins[row]).toBe(bins[row - 1]);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('tells two levels apart and leaves a constant alone', () => {
    const columns = [
      Float64Array.from({ length: 500 }, (_, row) => (row > 480 ? 1 : 0)),
      new Float64Array(500).fill(7),
    ];
    const [rare = new Uint8Array(), constant = new Uint8Array()] = binned(binningOf(columns), columns);
    expect(new Set(rare)).toEqual(new Set([0, 1]));
    expect(new Set(constant)).toEqual(new Set([0]));
  });
});

describe('a tree', () => {
  it('finds the one split that matters, and its values', () => {
    const columns = drawnColumns(400, 3);
    const gradient = Float64Array.from(columns[1] ?? [], (value) => (value > 0.5 ? 2 : -1));
    const weight = new Float64Array(400).fill(1);
    const shape = { leaves: 2, leafWeight: 5, shrink: 1e-9 };
    const grower = new Grower({ columns: binned(binningOf(columns), columns), gradient, weight }, shape);
    const tree = grower.grow(
      Int32Array.from({ length: 400 }, (_, row) => row),
      [0, 1, 2],
    );
    expect(tree.feature[0]).toBe(1);
    expect(tree.value[tree.left[0] ?? 0]).toBeCloseTo(-1, 1);
    expect(tree.value[tree.right[0] ?? 0]).toBeCloseTo(2, 1);
  });

  it('makes no leaf lighter than it may', () => {
    const columns = drawnColumns(100, 2);
    const gradient = Float64Array.from({ length: 100 }, (_, row) => row % 7);
    const rows = { columns: binned(binningOf(columns), columns), gradient, weight: new Float64Array(100).fill(1) };
    const all = Int32Array.from({ length: 100 }, (_, row) => row);
    const leavesOf = (leafWeight: number): number =>
      new Grower(rows, { leaves: 50, leafWeight, shrink: 1 }).grow(all.slice(), [0, 1]).feature.filter((f) => f >= 0)
        .length + 1;
    expect(leavesOf(51)).toBe(1);
    expect(leavesOf(20)).toBeGreaterThan(1);
    expect(leavesOf(20)).toBeLessThanOrEqual(5);
  });
});

describe('boosting', () => {
  it('learns an interaction of two columns among five', () => {
    const columns = drawnColumns(2000, 5);
    const target = Float64Array.from(columns[0] ?? [], (value, row) =>
      value > 0.5 === (columns[1]?.[row] ?? 0) > 0.3 ? 1 : -1,
    );
    expect(errorOf(learned(columns, target), target)).toBeLessThan(0.1);
  });

  it('is not bent by an outlier', () => {
    const random = createRandom(2);
    const columns = drawnColumns(1000, 2);
    const clean = Float64Array.from(columns[0] ?? [], (value) => value + 0.01 * normal(random));
    const spiked = clean.map((value, row) => (row % 200 === 0 ? 1000 : value));
    const bent = learned(columns, spiked, { ...PLAN, trees: 300, rate: 0.3 });
    const ordinary = [...bent].filter((_, row) => row % 200 !== 0).map((value) => Math.abs(value));
    expect(ordinary.sort((a, b) => a - b)[Math.floor(ordinary.length / 2)]).toBeLessThan(20);
  });

  it('gives the mean where there is nothing to learn from', () => {
    const target = Float64Array.from([1, 2, 3, 6]);
    expect([...learned([new Float64Array(4)], target)]).toEqual([3, 3, 3, 3]);
  });
});
