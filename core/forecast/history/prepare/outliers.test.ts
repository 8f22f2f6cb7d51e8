import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { winsorised } from './outliers.js';

const SEASONS = [24, 168];

/** Days with a shape, a weekend and a little noise that is the same each time. */
function demand(steps: number): number[] {
  return Array.from({ length: steps }, (_, at) => {
    const weekend = at % 168 >= 120 ? 0.6 : 1;
    return weekend * (100 + 50 * Math.sin((2 * Math.PI * at) / 24)) + (((at * 7919) % 101) - 50) / 10;
  });
}

describe('winsorised', () => {
  it('pulls in single steps, up and down, and nothing else', () => {
    const values = demand(1000);
    const dirty = values.map((value, at) => (at === 700 ? 30 * value : at === 900 ? 0 : value));
    const { values: pulled, outliers } = winsorised(dirty, SEASONS);
    expect(outliers).toEqual([700, 900]);
    for (const at of outliers) expect(Math.abs((pulled[at] ?? 0) - (values[at] ?? 0))).toBeLessThan(40);
    expect(pulled.filter((_, at) => !outliers.includes(at))).toEqual(dirty.filter((_, at) => !outliers.includes(at)));
    expect(winsorised(values, SEASONS).outliers).toEqual([]);
  });

  it('takes the first step of a surge alone for an outlier, and no step of a known event', () => {
    const surge = demand(1000).map((value, at) => (at >= 800 && at < 820 ? 5 * value : value));
    expect(winsorised(surge, SEASONS).outliers).toEqual([800]);
    expect(winsorised(surge, SEASONS, (at) => at >= 800 && at < 820).outliers).toEqual([]);
  });

  it('touches at most one step in 200, and no later step changes an earlier one', () => {
    const wild = fc.array(fc.tuple(fc.nat(1999), fc.constantFrom(0, 10, 100, 1e6)), { maxLength: 60 });
    fc.assert(
      fc.property(wild, fc.integer({ min: 1, max: 2000 }), (spikes, cut) => {
        const values = demand(2000);
        for (const [at, factor] of spikes) values[at] = (values[at] ?? 0) * factor;
        const whole = winsorised(values, SEASONS);
        expect(whole.outliers.length).toBeLessThanOrEqual(10);
        expect(whole.values.slice(0, cut)).toEqual(winsorised(values.slice(0, cut), SEASONS).values);
      }),
      { numRuns: 40 },
    );
  });
});
