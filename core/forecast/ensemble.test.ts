import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import type { MemberBackTest } from './backTest.js';
import { weigh } from './ensemble.js';
import { mean } from './series.js';

const ORIGINS = [10, 20, 30];

/** A back-test of a member that forecast these values, where 10 came at every step and the naive one is off by 1. */
function tested(name: string, predicted: readonly number[], drift = 0.01): MemberBackTest {
  const points = ORIGINS.flatMap((origin, index) =>
    predicted.map((value, step) => ({ origin, lead: step + 1, actual: 10, predicted: value + index * drift })),
  );
  return {
    member: { name, forecast: () => ({ ok: true, mean: [] }) },
    mase: mean(points.map((point) => Math.abs(point.actual - point.predicted))),
    points,
    scales: ORIGINS.map((origin) => ({ origin, scale: 1 })),
  };
}

const forecasts = fc.array(fc.array(fc.double({ min: 0, max: 30, noNaN: true }), { minLength: 3, maxLength: 3 }), {
  minLength: 1,
  maxLength: 6,
});

describe('weigh', () => {
  it('gives weights that are 1 together, and never more than 3 % over the best member', () => {
    fc.assert(
      fc.property(forecasts, ([first = [], ...others]) => {
        const all = [tested('0', first), ...others.map((values, index) => tested(String(index + 1), values))] as const;
        const { weights, mase } = weigh([all[0], ...all.slice(1)]);
        expect([...weights.values()].reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 12);
        expect([...weights.values()].every((weight) => weight > 0)).toBe(true);
        expect(mase).toBeLessThanOrEqual(1.03 * Math.min(...all.map((test) => test.mase)) + 1e-12);
      }),
    );
  });

  it('lets errors of opposite sign cancel out', () => {
    const { weights, mase } = weigh([tested('high', [12, 12]), tested('low', [8, 8])]);
    expect([...weights.values()].every((weight) => Math.abs(weight - 0.5) < 0.02)).toBe(true);
    expect(mase).toBeLessThan(0.05);
  });

  it('judges each origin by weights that knew nothing of it', () => {
    const lucky = tested('lucky', [10], 0);
    const last = ORIGINS.at(-1);
    const steady = tested('steady', [10.5], 0);
    const off = lucky.points.map((point) => (point.origin === last ? { ...point, predicted: 16 } : point));
    const { heldOut } = weigh([{ ...lucky, points: off, mase: 2 }, steady]);
    expect(heldOut.map((point) => point.predicted)).toEqual([10.5, 10.5, 16]);
  });

  it('hears nobody who is far worse than the best', () => {
    const { weights } = weigh([tested('wild', [25, 25]), tested('good', [11, 11])]);
    expect([...weights.keys()].map((test) => test.member.name)).toEqual(['good']);
  });

  it('gives way to the best member where the others only do harm', () => {
    const good = tested('good', [11, 11]);
    const { weights } = weigh([good, tested('same sign', [11.24, 11.24]), tested('too', [11.24, 11.24])]);
    expect([...weights]).toEqual([[good, 1]]);
  });

  it('weighs members alike that make no error, and that all fail where the naive one makes none', () => {
    const perfect = tested('a', [10], 0);
    expect([...weigh([perfect, { ...perfect }]).weights.values()]).toEqual([0.5, 0.5]);
    const endless = {
      ...tested('b', [11], 0),
      mase: Infinity,
      scales: ORIGINS.map((origin) => ({ origin, scale: 0 })),
    };
    expect([...weigh([endless, { ...endless }]).weights.values()]).toEqual([0.5, 0.5]);
  });
});
