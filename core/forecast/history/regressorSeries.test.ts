import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import type { RegressorSample } from '../../spec/csvRegressors.js';
import type { KnownSeries } from '../members/members.js';
import { regressorSeries } from './regressorSeries.js';

const HOUR = 3_600_000;
const T0 = Date.parse('2026-03-01T00:00:00Z');
const grid = (steps: number): { service: string; startMs: number; stepMs: number; steps: number } => ({
  service: 'shop',
  startMs: T0,
  stepMs: HOUR,
  steps,
});
const sample = (hour: number, value: number, name = 'a', service?: string): RegressorSample => ({
  at: T0 + hour * HOUR,
  name,
  value,
  ...(service === undefined ? {} : { service }),
});

function aligned(samples: readonly RegressorSample[], steps: number): readonly KnownSeries[] {
  const result = regressorSeries(samples, grid(steps));
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.value;
}

describe('regressorSeries', () => {
  it('takes the mean within a step, whatever the order of the samples', () => {
    const samples = [sample(1, 5), sample(0.5, 3), sample(0, 1), sample(1.99, 7)];
    expect(aligned(samples, 2)).toEqual([{ name: 'a', values: [2, 6] }]);
  });

  it('lets daily values serve hourly steps, without a word', () => {
    const result = regressorSeries([sample(0, 1), sample(24, 2), sample(48, 3)], grid(60));
    expect(result).toMatchObject({ ok: true, warnings: [] });
    expect(result.ok && [0, 23, 24, 59].map((step) => result.value[0]?.values[step])).toEqual([1, 1, 2, 3]);
  });

  it('carries a value over a short hole and says so, and refuses a long one by its times', () => {
    const hourly = Array.from({ length: 24 }, (_, hour) => sample(hour, hour));
    const without = (from: number, to: number): RegressorSample[] =>
      hourly.filter(({ value }) => value < from || value >= to);
    const short = regressorSeries(without(10, 16), grid(24));
    expect(short).toMatchObject({ ok: true, warnings: [{ code: 'carried', field: 'regressors.a' }] });
    expect(short.ok && short.value[0]?.values.slice(8, 18)).toEqual([8, 9, 9, 9, 9, 9, 9, 9, 16, 17]);
    const long = regressorSeries(without(10, 18), grid(24));
    expect(long).toMatchObject({ ok: false, problems: [{ code: 'regressor-gap', field: 'regressors.a' }] });
    expect(!long.ok && long.problems[0]?.message).toContain('2026-03-01T16:00:00.000Z up to 2026-03-01T18:00:00.000Z');
  });

  it('refuses what does not reach from the beginning to the end, every regressor at once', () => {
    const samples = [sample(3, 1, 'late'), ...Array.from({ length: 5 }, (_, hour) => sample(hour, 1, 'early'))];
    const result = regressorSeries(samples, grid(20));
    expect(!result.ok && result.problems.map(({ field }) => field)).toEqual(['regressors.early', 'regressors.late']);
    expect(!result.ok && result.problems[0]?.message).toContain(
      '2026-03-01T11:00:00.000Z up to 2026-03-01T20:00:00.000Z',
    );
  });

  it('takes a value from before the first step', () => {
    expect(aligned([sample(-1, 4), sample(1, 5)], 2)).toEqual([{ name: 'a', values: [4, 5] }]);
  });

  it('prefers the values of the service to those of all, and leaves out those of others', () => {
    const samples = [
      sample(0, 1),
      sample(0, 2, 'a', 'shop'),
      sample(0, 3, 'a', 'pay'),
      sample(0, 4, 'b'),
      sample(0, 5, 'c', 'pay'),
    ];
    expect(aligned(samples, 1)).toEqual([
      { name: 'a', values: [2] },
      { name: 'b', values: [4] },
    ]);
    expect(aligned([], 5)).toEqual([]);
  });

  it('never looks ahead: a later sample changes no earlier step', () => {
    const samples = fc.array(fc.tuple(fc.integer({ min: 0, max: 47 }), fc.integer({ min: -9, max: 9 })), {
      maxLength: 40,
    });
    fc.assert(
      fc.property(samples, fc.integer({ min: 1, max: 48 }), (list, cut) => {
        const base = Array.from({ length: 48 }, (_, hour) => sample(hour, hour));
        const all = [...base, ...list.map(([hour, value]) => sample(hour + 0.5, value))];
        const before = all.filter(({ at }) => at < T0 + cut * HOUR);
        expect(aligned(before, cut)[0]?.values).toEqual(aligned(all, 48)[0]?.values.slice(0, cut));
      }),
    );
  });
});
