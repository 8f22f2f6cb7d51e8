import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import type { DemandSample } from '../../spec/csvDemand.js';
import { maxGapSteps } from './prepare/rules.js';
import type { Prepared, PreparedSeries } from './prepareSeries.js';
import { prepareSeries } from './prepareSeries.js';

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
    const clean = value(prepareSeries(rows, OPTIONS));
    expect(clean.series).toEqual({ startMs: START_MS, stepMs: HOUR_MS, values: daily(48) });
    expect([clean.notes, clean.marks, clean.levelShift]).toEqual([[], [], null]);
    expect(clean.trainable).toEqual(clean.series);
    const [, second, ...others] = rows;
    const mixed = value(
      prepareSeries([...others, ...rows.slice(0, 1), ...(second === undefined ? [] : [second])], OPTIONS),
    );
    expect(mixed.series).toEqual(clean.series);
    expect(mixed.notes).toEqual(['shop: 1 rows came before an earlier one; all were sorted (2026-01-05T00:00:00Z)']);
  });

  it('averages rows that repeat a time, and says so', () => {
    const repeated = (rps: number): DemandSample[] =>
      rowsOf([1, 2, 3]).flatMap((row, hour) => (hour === 1 ? [row, { ...row, rps }] : [row]));
    const prepared = value(prepareSeries(repeated(4), OPTIONS));
    expect(prepared.series.values).toEqual([1, 3, 3]);
    const told = 'shop: 1 rows repeat a time; their mean was taken (2026-01-05T01:00:00Z)';
    const contradiction = 'shop: 1 times have rows that differ by more than 5 % (2026-01-05T01:00:00Z)';
    expect(prepared.notes).toEqual([told, contradiction]);
    expect(value(prepareSeries(repeated(2), OPTIONS)).notes).toEqual([told]);
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
    expect(prepared.notes).toEqual([
      'shop: 4 missing steps were filled from a season earlier (2026-01-08T18:00:00Z, 2026-01-08T19:00:00Z, 2026-01-08T20:00:00Z and 1 more)',
    ]);
    expect(prepared.marks.map(({ index, kind }) => `${index} ${kind}`)).toEqual(
      [90, 91, 92, 93].map((hour) => `${hour} filled`),
    );
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
    ['beyond any service', 1e13],
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

  it('refuses times outside the calendar, and a history too long to hold', () => {
    const at = (ms: number): DemandSample[] => [...rowsOf([1]), { at: ms, service: 'shop', rps: 1 }];
    for (const ms of [Number.NaN, 1e300, -8.64e15])
      expect(codes(prepareSeries(at(ms), OPTIONS))).toEqual(['bad-value']);
    expect(codes(prepareSeries(at(Date.UTC(9999, 0, 1)), { ...OPTIONS, stepSeconds: 1 }))).toEqual(['long-gap']);
    const rows = Array.from({ length: 60_000 }, (_, i) => ({ at: START_MS + i * 21_000, service: 'shop', rps: 1 }));
    const seconds = { service: 'shop', stepSeconds: 1, seasons: [86_400] };
    expect(codes(prepareSeries(rows, seconds))).toEqual(['too-many-gaps']);
  });

  it('puts jittering scrapes on the steps they mean', () => {
    const jitter = [0, 40_000, -90_000, 20_000, 3_000, -10_000];
    const rows = rowsOf([1, 2, 3, 4, 5, 6]).map((row, hour) => ({ ...row, at: row.at + (jitter[hour] ?? 0) }));
    const prepared = value(prepareSeries(rows, OPTIONS));
    expect(prepared.series).toEqual({ startMs: START_MS, stepMs: HOUR_MS, values: [1, 2, 3, 4, 5, 6] });
    expect(prepared.notes).toEqual(['shop: 6 rows are up to 10 % of a step early or late; each was put on its step']);
  });

  it('spreads an older part of coarser rows over their own length, and says so', () => {
    const fine = { service: 'shop', stepSeconds: 300, seasons: [288] };
    const old = rowsOf([10, 20, 30, 40, 50, 60, 70]);
    const rows = [
      ...old,
      ...Array.from({ length: 60 }, (_, i) => ({ at: START_MS + 7 * HOUR_MS + i * 300_000, service: 'shop', rps: i })),
    ];
    const prepared = value(prepareSeries(rows, fine));
    expect(prepared.series.values.slice(0, 84)).toEqual(old.flatMap(({ rps }) => Array<number>(12).fill(rps)));
    expect(prepared.series.values.slice(84)).toEqual(Array.from({ length: 60 }, (_, i) => i));
    expect(prepared.notes).toHaveLength(1);
    expect(prepared.notes[0]).toMatch(
      /^shop: 7 rows are coarser than the step of 5m; each was spread .*2026-01-05T00:00/,
    );
    expect(prepared.marks).toHaveLength(7 * 11);
  });

  it('refuses a history that is coarser than its step altogether, and names the step that fits', () => {
    const refused = prepareSeries(rowsOf(daily(240)), { service: 'shop', stepSeconds: 300, seasons: [288] });
    expect(refused).toMatchObject({
      problems: [
        { code: 'too-many-gaps', message: 'has rows every 1h, the step asked is 5m', fix: 'ask for a step of 1h' },
      ],
    });
  });

  it('fills zeros of a service that was never near zero as far as a hole, and keeps what is longer', () => {
    const zeroed = (steps: number): PreparedSeries =>
      value(prepareSeries(rowsOf(daily(240).map((rps, h) => (h >= 100 && h < 100 + steps ? 0 : rps))), OPTIONS));
    const short = zeroed(5);
    expect(Math.min(...short.series.values)).toBeGreaterThan(4);
    expect(short.notes[0]).toMatch(
      /^shop: 5 zeros in a service that was never near zero were filled .*01-09T04:00:00Z/,
    );
    const long = zeroed(20);
    expect(long.series.values.map((rps) => (rps === 0 ? 1 : 0)).reduce<number>((sum, one) => sum + one, 0)).toBe(8);
    expect(long.notes.join()).toMatch(/12 zeros .* filled.*8 more zeros .* too long to be filled and were kept/);
    expect(long.marks.filter(({ kind }) => kind === 'zero-kept')).toHaveLength(8);
  });

  it('keeps true zeros: an idle service, one that sleeps at night, and one that begins to', () => {
    const kept = (values: readonly number[]): number[] => [
      ...value(prepareSeries(rowsOf(values), OPTIONS)).series.values,
    ];
    const idle = Array<number>(96).fill(0);
    const nightly = daily(240).map((rps, hour) => (hour % 24 < 6 ? 0 : rps));
    expect(kept(idle)).toEqual(idle);
    expect(kept(nightly)).toEqual(nightly);
    const later = daily(240).map((rps, hour) => (hour >= 120 && hour % 24 < 6 ? 0 : rps));
    expect(kept(later).slice(144)).toEqual(later.slice(144));
  });

  it('tells resets of a counter and marks their steps', () => {
    const rows = rowsOf(daily(48)).map((row, hour) => (hour === 30 ? { ...row, isReset: true } : row));
    const prepared = value(prepareSeries(rows, OPTIONS));
    expect(prepared.marks).toEqual([{ index: 30, kind: 'counter-reset' }]);
    expect(prepared.notes[0]).toMatch(/^shop: 1 times a counter fell; .*2026-01-06T06:00:00Z/);
  });

  it('keeps an outlier as measured and pulls it in for training, unless an event covers it', () => {
    const spiked = daily(480).map((rps, hour) => (hour === 400 ? 20 * rps : rps));
    const prepared = value(prepareSeries(rowsOf(spiked), OPTIONS));
    expect(prepared.series.values).toEqual(spiked);
    expect(prepared.marks).toEqual([{ index: 400, kind: 'outlier' }]);
    expect(prepared.trainable.values[400]).toBeLessThan(2 * (daily(480)[400] ?? 0));
    const isEventAt = (ms: number): boolean => ms === START_MS + 400 * HOUR_MS;
    expect(value(prepareSeries(rowsOf(spiked), { ...OPTIONS, isEventAt })).trainable.values).toEqual(spiked);
  });

  it('tells a change of level that stays, with time and factor', () => {
    const stepped = daily(960).map((rps, hour) => (hour >= 900 ? 2 * rps : rps));
    const prepared = value(prepareSeries(rowsOf(stepped), OPTIONS));
    expect(prepared.levelShift?.index).toBe(900);
    expect(prepared.notes.at(-1)).toBe('shop: the level changed to 2.00 times what it was (2026-02-11T12:00:00Z)');
    // Whether a step is the first of many cannot be known when it comes.
    expect(prepared.marks).toEqual([{ index: 900, kind: 'outlier' }]);
    expect(prepared.series.values).toEqual(stepped);
  });

  it('takes the finer rows of the last step that has ended at the cut', () => {
    const rows = Array.from({ length: 30 }, (_, i) => ({ at: START_MS + i * 300_000, service: 'shop', rps: i }));
    const prepared = value(prepareSeries(rows, { ...OPTIONS, atMs: START_MS + 2 * HOUR_MS }));
    expect(prepared.series.values).toEqual([5.5, 17.5]);
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
        expect(whole.value.trainable.values.slice(0, early.length)).toEqual(part.value.trainable.values);
      }),
      { numRuns: 200 },
    );
  });

  it('never lets the value of a later row change the repair of an earlier step', () => {
    const dirt = fc.array(fc.tuple(fc.integer({ min: 60, max: 599 }), fc.constantFrom(0, 0, 0, 30, -1)), {
      maxLength: 40,
    });
    fc.assert(
      fc.property(dirt, fc.integer({ min: 300, max: 600 }), (spots, cut) => {
        const values = daily(600);
        for (const [hour, factor] of spots) values[hour] = factor * (values[hour] ?? 0);
        const prefix = (hours: number): Prepared =>
          prepareSeries(
            rowsOf(values.slice(0, hours)).filter((row) => row.rps >= 0),
            OPTIONS,
          );
        const [whole, part] = [prefix(600), prefix(cut)];
        if (!whole.ok || !part.ok) return;
        const steps = part.value.series.values.length;
        expect(whole.value.series.values.slice(0, steps)).toEqual(part.value.series.values);
        expect(whole.value.trainable.values.slice(0, steps)).toEqual(part.value.trainable.values);
        const early = whole.value.marks.filter(({ index }) => index < steps);
        expect(early).toEqual(part.value.marks);
      }),
      { numRuns: 60 },
    );
  });
});
