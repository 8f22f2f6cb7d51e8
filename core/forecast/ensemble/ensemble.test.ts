import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import type { MemberBackTest, OriginTruth } from './backTest.js';
import { originError } from './backTest.js';
import { weigh } from './ensemble.js';
import { mean } from '../series.js';

const ORIGINS: OriginTruth[] = [10, 20, 30].map((origin) => ({ origin, actual: [10, 10, 10], scale: 1 }));

/** A back-test of a member that forecast these values, where 10 came at every step and the naive one is off by 1. */
function tested(name: string, values: readonly number[], drift = 0.01): MemberBackTest {
  const predicted = ORIGINS.map((_, index) => values.map((value) => value + index * drift));
  return {
    member: { name, forecast: () => ({ ok: true, mean: [] }) },
    mase: mean(ORIGINS.map((truth, index) => originError(truth, predicted[index] ?? []))),
    predicted,
  };
}

const forecasts = fc.array(fc.array(fc.double({ min: 0, max: 30, noNaN: true }), { minLength: 3, maxLength: 3 }), {
  minLength: 1,
  maxLength: 6,
});

describe('weigh', () => {
  it('gives weights that are 1 together, to nobody who is twice as bad as the best', () => {
    fc.assert(
      fc.property(forecasts, ([first = [], ...others]) => {
        const all = [tested('0', first), ...others.map((values, index) => tested(String(index + 1), values))] as const;
        const { weights, mase } = weigh([all[0], ...all.slice(1)], ORIGINS);
        expect([...weights.values()].reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 12);
        expect([...weights.values()].every((weight) => weight > 0)).toBe(true);
        const best = Math.min(...all.map((test) => test.mase));
        for (const test of weights.keys()) expect(test.mase).toBeLessThanOrEqual(2 * best + 1e-12);
        expect(mase).toBeLessThanOrEqual(2 * best + 1e-12);
      }),
    );
  });

  it('lets errors of opposite sign cancel out', () => {
    const { weights, mase } = weigh([tested('high', [12, 12, 12]), tested('low', [8, 8, 8])], ORIGINS);
    expect([...weights.values()].every((weight) => Math.abs(weight - 0.5) < 0.02)).toBe(true);
    expect(mase).toBeLessThan(0.05);
  });

  it('judges each origin by weights that knew nothing of it', () => {
    const lucky = tested('lucky', [10, 10, 10], 0);
    const steady = tested('steady', [10.5, 10.5, 10.5], 0);
    const off = { ...lucky, predicted: lucky.predicted.map((values, at) => (at === 2 ? [16, 16, 16] : values)) };
    expect(weigh([off, steady], ORIGINS).heldOut.map(([value]) => value)).toEqual([10.5, 10.5, 16]);
  });

  it('hears nobody who is far worse than the best', () => {
    const { weights } = weigh([tested('wild', [25, 25, 25]), tested('good', [11, 11, 11])], ORIGINS);
    expect([...weights.keys()].map((test) => test.member.name)).toEqual(['good']);
  });

  it('hears a narrow circle where the many only do harm', () => {
    const good = tested('good', [11, 11, 11]);
    const worse = ['b', 'c', 'd'].map((name) => tested(name, [11.6, 11.6, 11.6]));
    const { weights } = weigh([good, ...worse], ORIGINS);
    expect([...weights]).toEqual([[good, 1]]);
  });

  it('weighs members alike that make no error, and that all fail where the naive one makes none', () => {
    const perfect = tested('a', [10, 10, 10], 0);
    expect([...weigh([perfect, { ...perfect }], ORIGINS).weights.values()]).toEqual([0.5, 0.5]);
    const endless = tested('b', [11, 11, 11], 0);
    const flat = ORIGINS.map((truth) => ({ ...truth, scale: 0 }));
    expect([...weigh([endless, { ...endless }], flat).weights.values()]).toEqual([0.5, 0.5]);
  });
});
