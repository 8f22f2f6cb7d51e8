import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { costRegret } from './costRegret.js';

const same = (values: readonly number[]) => ({ p50: values, p80: values, p90: values, p95: values, p99: values });

describe('costRegret', () => {
  it('is what a hand calculation gives', () => {
    // Demand 10, 20; capacity at p80: 12, 18; p90: 14, 20; p95: 16, 22; p99: 20, 30.
    // p80, shortage 4: (2 + 4 × 2) / 2 = 5. p90: (4 + 0) / 2 = 2. p95: (6 + 2) / 2 = 4. p99: (10 + 10) / 2 = 10.
    const quantiles = { p50: [0, 0], p80: [12, 18], p90: [14, 20], p95: [16, 22], p99: [20, 30] };
    expect(costRegret([10, 20], quantiles, 15)).toBeCloseTo((5 + 2 + 4 + 10) / 4 / 15, 12);
  });

  it('prices a shortage by the critical ratio', () => {
    // One unit short everywhere: 4, 9, 19 and 99 times the cost of one that idles.
    expect(costRegret([1], same([0]), 1)).toBeCloseTo((4 + 9 + 19 + 99) / 4, 9);
    expect(costRegret([0], same([1]), 1)).toBe(1);
  });

  it('is nothing for a clairvoyant alone, and does not depend on the unit', () => {
    const demand = fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(demand, fc.double({ min: 0.01, max: 100, noNaN: true }), (actual, factor) => {
        expect(costRegret(actual, same(actual), 5)).toBe(0);
        const off = actual.map((value) => value / 2 + 1);
        const regret = costRegret(actual, same(off), 5);
        const scaled = (values: readonly number[]): number[] => values.map((value) => value * factor);
        expect(costRegret(scaled(actual), same(scaled(off)), 5 * factor)).toBeCloseTo(
          regret,
          6 - Math.log10(1 + regret),
        );
      }),
    );
  });
});
