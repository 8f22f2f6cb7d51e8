import { readFileSync } from 'node:fs';

import { describe, expect, it } from '@jest/globals';

import { fromLocalClock, toLocalClock } from '../../core/forecast/history/prepare/localClock.js';
import { levelled } from '../../core/forecast/history/prepare/levelShift.js';
import type { Prepared } from '../../core/forecast/history/prepareSeries.js';
import { prepareSeries } from '../../core/forecast/history/prepareSeries.js';
import { parseDemandCsv } from '../../core/spec/csvDemand.js';

/** Each file holds the same twelve days of one service, with one kind of dirt. */
const SEASONS = [24];
const HOURS = 288;

function truth(hour: number): number {
  return 100 + 50 * Math.sin((2 * Math.PI * hour) / 24);
}

function read(file: string): ReturnType<typeof parseDemandCsv> {
  return parseDemandCsv(readFileSync(`test/forecast/dirty/${file}`, 'utf8'), file);
}

function prepare(file: string): Prepared {
  const { rows, problems } = read(file);
  expect(problems).toEqual([]);
  return prepareSeries(rows, { service: 'shop', stepSeconds: 3600, seasons: SEASONS });
}

describe('dirty histories', () => {
  it.each([
    ['gaps.csv', [/^shop: 8 missing steps were filled .*2026-03-06T04:00:00Z/]],
    [
      'duplicates.csv',
      [/^shop: 4 rows repeat a time/, /1 times have rows that differ by more than 5 % .*03-07T00:00:00Z/],
    ],
    ['unsorted.csv', [/^shop: \d+ rows came before an earlier one; all were sorted/]],
    ['counterReset.csv', [/^shop: 1 times a counter fell; .*2026-03-08T05:00:00Z/]],
    ['requests.csv', []],
    ['zeros.csv', [/^shop: 8 zeros in a service that was never near zero were filled .*2026-03-08T06:00:00Z/]],
    ['jitter.csv', [/^shop: 288 rows are up to 10 % of a step early or late/]],
  ])('%s is repaired to what was, and says how', (file, notes) => {
    const prepared = prepare(file);
    if (!prepared.ok) throw new Error(JSON.stringify(prepared.problems));
    const { series } = prepared.value;
    expect(prepared.value.notes).toHaveLength(notes.length);
    for (const [index, note] of notes.entries()) expect(prepared.value.notes[index]).toMatch(note);
    expect(series.values).toHaveLength(HOURS);
    for (const [hour, value] of series.values.entries()) expect(Math.abs(value / truth(hour) - 1)).toBeLessThan(0.01);
  });

  it('finer.csv becomes means by step', () => {
    const prepared = prepare('finer.csv');
    if (!prepared.ok) throw new Error(JSON.stringify(prepared.problems));
    expect(prepared.value.notes[0]).toMatch(/^shop: 432 rows lie between steps; the mean of each step was taken/);
    for (const [hour, value] of prepared.value.series.values.entries()) expect(value).toBeCloseTo(truth(hour), 1);
  });

  it('mixedSteps.csv has its older part spread, and keeps its mean', () => {
    const prepared = prepare('mixedSteps.csv');
    if (!prepared.ok) throw new Error(JSON.stringify(prepared.problems));
    const { values } = prepared.value.series;
    expect(prepared.value.notes[0]).toMatch(/^shop: 30 rows are coarser than the step of 1h; each was spread/);
    expect(values.slice(0, 24).reduce((sum, value) => sum + value, 0) / 24).toBeCloseTo(100, 1);
    for (const [hour, value] of values.slice(120).entries()) expect(value).toBeCloseTo(truth(hour), 1);
  });

  it('outlier.csv is kept as measured; for training the step is pulled in', () => {
    const prepared = prepare('outlier.csv');
    if (!prepared.ok) throw new Error(JSON.stringify(prepared.problems));
    expect(prepared.value.marks).toEqual([{ index: 230, kind: 'outlier' }]);
    expect(prepared.value.notes[0]).toMatch(/^shop: 1 single steps are far off .*2026-03-11T14:00:00Z/);
    expect(prepared.value.series.values[230]).toBeCloseTo(15 * truth(230), 0);
    expect((prepared.value.trainable.values[230] ?? 0) / truth(230)).toBeLessThan(1.3);
  });

  it('levelShift.csv is told with time and factor, and can be levelled', () => {
    const prepared = prepare('levelShift.csv');
    if (!prepared.ok) throw new Error(JSON.stringify(prepared.problems));
    expect(prepared.value.levelShift).toMatchObject({ index: 228 });
    expect(prepared.value.notes.at(-1)).toBe(
      'shop: the level changed to 2.50 times what it was (2026-03-11T12:00:00Z)',
    );
    const level = levelled(prepared.value.series.values, SEASONS);
    for (const [hour, value] of level.entries()) expect(value / (2.5 * truth(hour))).toBeCloseTo(1, 1);
  });

  it('clockChange.csv keeps its days in place on the clock of Berlin, and the days ahead', () => {
    const prepared = prepare('clockChange.csv');
    if (!prepared.ok) throw new Error(JSON.stringify(prepared.problems));
    const utc = prepared.value.series;
    const { series } = toLocalClock(utc, 'Europe/Berlin');
    for (const [hour, value] of series.values.entries()) expect(value).toBeCloseTo(truth(hour + 1), 1);
    const before = { ...utc, values: utc.values.slice(0, 180) };
    const local = toLocalClock(before, 'Europe/Berlin', 48);
    const daily = Array.from({ length: 49 }, (_, step) => local.series.values.at((step % 24) - 24) ?? 0);
    const ahead = fromLocalClock(local, daily, 48);
    for (const [step, value] of ahead.entries()) expect(value).toBeCloseTo(utc.values[180 + step] ?? 0, 1);
  });

  it.each([
    ['longGap.csv', 'long-gap', 'start the history at 2026-03-07T20:00:00Z, or add what is missing'],
    ['coarse.csv', 'too-many-gaps', 'ask for a step of 3h'],
  ])('%s is refused, with what to do', (file, code, fix) => {
    expect(prepare(file)).toMatchObject({ ok: false, problems: [{ code, field: 'history.shop', fix }] });
  });

  it('broken.csv tells every bad row, and gives the good one', () => {
    const { rows, problems } = read('broken.csv');
    expect(rows).toHaveLength(1);
    expect(problems.map(({ line, field }) => `${line} ${field}`)).toEqual([
      '2 timestamp',
      '3 timestamp',
      '4 service',
      '5 rps',
      '6 rps',
      '7 (row)',
      '8 rps',
    ]);
  });
});
