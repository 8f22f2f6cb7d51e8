import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import type { DemandSample } from '../spec/csvDemand.js';
import type { Prepared, PreparedSeries } from './prepareSeries.js';
import { maxGapSteps, prepareSeries } from './prepareSeries.js';

const HOUR_MS = 3_600_000;
const START_MS = Date.UTC(2026, 0, 5);
const OPTIONS = { service: 'shop', stepSeconds: 3600, seasons: [24, 168] };

function rowsOf(values: readonly number[]): DemandSample[] {
  return values.map((rps, index) => ({ at: START_MS + index * HOUR_MS, service: 'shop', rps }));
}

function daily(hours: number): number[] {
  return Array.from({ length: hours }, (_, hour) => 10 + 5 * Math.sin((2 * Math.PI * hour) / 24));
}

function value(prepared: Prepared): PreparedSeries {
  if (!prepared.ok) throw new Error(JSON.stringify(prepared.problems));
  return prepared.value;
}

function codes(prepared: Prepared): string[] {
  return prepared.ok ? [] : prepared.problems.map((problem) => problem.code);
}

describe('prepareSeries', () => {
  it('takes clean rows as they are, in any order', () => {
    const rows = rowsOf(daily(48));
    const prepared = value(prepareSeries([...rows].reverse(), OPTIONS));
    expect(prepared.series).toEqual({ startMs: START_MS, stepMs: HOUR_MS, values: daily(48) });
    expect(prepared.notes).toEqual([]);
  });

  it('averages rows that repeat a time, and says so', () => {
    const rows = [...rowsOf([1, 2, 3]), { at: START_MS + HOUR_MS, service: 'shop', rps: 4 }];
    const prepared = value(prepareSeries(rows, OPTIONS));
    expect(prepared.series.values).toEqual([1, 3, 3]);
    expect(prepared.notes).toEqual(['shop: 1 rows repeat a time; their mean was taken']);
  });

  it('averages finer rows into the step and leaves out a last step that is not complete', () => {
    const rows = Array.from({ length: 25 }, (_, i) => ({ at: START_MS + i * 300_000, service: 'shop', rps: i }));
    const prepared = value(prepareSeries(rows, OPTIONS));
    expect(prepared.series.values).toEqual([5.5, 17.5]);
    expect(prepared.notes).toHaveLength(2);
  });

  it('keeps the grid of a history that is shifted as a whole', () => {
    const rows = rowsOf([1, 2, 3]).map((row) => ({ ...row, at: row.at + HOUR_MS / 2 }));
    expect(value(prepareSeries(rows, OPTIONS)).series.startMs).toBe(START_MS + HOUR_MS / 2);
  });

  it('fills a short hole from a season earlier, at the level of now', () => {
    const doubled = daily(96).map((rps, hour) => (hour < 72 ? rps : 2 * rps));
    const rows = rowsOf(doubled).filter((_, hour) => hour < 90 || hour >= 94);
    const prepared = value(prepareSeries(rows, OPTIONS));
    expect(prepared.notes).toEqual(['shop: 4 missing steps were filled from a season earlier']);
    for (const hour of [90, 91, 92, 93]) {
      const filled = (prepared.series.values[hour] ?? 0) / (doubled[hour] ?? 1);
      expect(filled).toBeGreaterThan(0.6);
      expect(filled).toBeLessThan(1.4);
    }
  });

  it('refuses a hole longer than half the shortest season, with its place', () => {
    const limit = maxGapSteps(OPTIONS.seasons);
    const holed = (steps: number): DemandSample[] => rowsOf(daily(240)).filter((_, h) => h < 100 || h >= 100 + steps);
    expect(codes(prepareSeries(holed(limit), OPTIONS))).toEqual([]);
    const refused = prepareSeries(holed(limit + 1), OPTIONS);
    expect(codes(refused)).toEqual(['long-gap']);
    expect(!refused.ok && refused.problems[0]?.message).toContain('2026-01-09T04:00:00Z');
  });

  it.each([
    ['negative', -1],
    ['not a number', Number.NaN],
    ['infinite', Number.POSITIVE_INFINITY],
  ])('refuses a value that is %s', (_, rps) => {
    expect(codes(prepareSeries(rowsOf([1, rps, 2]), OPTIONS))).toEqual(['bad-value']);
  });

  it('refuses a history that is mostly holes, and one without rows', () => {
    expect(
      codes(
        prepareSeries(
          rowsOf(daily(240)).filter((_, h) => h % 2 === 0),
          OPTIONS,
        ),
      ),
    ).toEqual(['too-many-gaps']);
    expect(codes(prepareSeries([], OPTIONS))).toEqual(['no-history']);
    expect(codes(prepareSeries(rowsOf([1, 2]), { ...OPTIONS, atMs: START_MS }))).toEqual(['no-history']);
  });

  it('looks at no step that has not ended at the cut', () => {
    const at = (atMs: number): number =>
      value(prepareSeries(rowsOf(daily(48)), { ...OPTIONS, atMs })).series.values.length;
    expect(at(START_MS + 10 * HOUR_MS)).toBe(10);
    expect(at(START_MS + 10 * HOUR_MS - 1)).toBe(9);
  });

  it('never lets a later row change an earlier step', () => {
    const values = fc.array(fc.option(fc.double({ min: 0, max: 1000, noNaN: true }), { freq: 8 }), {
      minLength: 3,
      maxLength: 80,
    });
    fc.assert(
      fc.property(values, fc.nat(), (holed, seed) => {
        const rows = holed.flatMap((rps, hour) =>
          rps === null && hour > 0 ? [] : [{ at: START_MS + hour * HOUR_MS, service: 'shop', rps: rps ?? 1 }],
        );
        const whole = prepareSeries(rows, OPTIONS);
        const part = prepareSeries(rows.slice(0, 1 + (seed % rows.length)), OPTIONS);
        if (!whole.ok || !part.ok) return;
        const { values: early } = part.value.series;
        expect(whole.value.series.values.slice(0, early.length)).toEqual(early);
      }),
      { numRuns: 200 },
    );
  });
});
