import { describe, expect, it } from '@jest/globals';

import { parseDemandCsv } from './csvDemand.js';

const at = (minute: number): string => new Date(Date.UTC(2026, 0, 5, 0, minute)).toISOString();
const ms = (minute: number): number => Date.UTC(2026, 0, 5, 0, minute);

function csv(column: string, rows: readonly (readonly [minute: number, value: number | string])[]): string {
  return [`timestamp,service,${column}`, ...rows.map(([minute, value]) => `${at(minute)},shop,${value}`)].join('\n');
}

describe('a counter of requests', () => {
  it('gives rates from differences, and none for its last row', () => {
    const { rows, problems } = parseDemandCsv(
      csv('total', [
        [0, 1000],
        [5, 1600],
        [10, 1600],
        [15, 4600],
      ]),
    );
    expect(problems).toEqual([]);
    expect(rows.map(({ at: time, rps, spanMs }) => [time, rps, spanMs])).toEqual([
      [ms(0), 2, 300_000],
      [ms(5), 0, 300_000],
      [ms(10), 10, 300_000],
    ]);
  });

  it('takes a fall for a reset: the new value is the increase since', () => {
    const { rows } = parseDemandCsv(
      csv('total', [
        [0, 9000],
        [5, 9600],
        [10, 300],
        [15, 900],
      ]),
    );
    expect(rows.map(({ rps, isReset }) => [rps, isReset])).toEqual([
      [2, undefined],
      [1, true],
      [2, undefined],
    ]);
  });

  it('sorts, takes the highest of one time, and leaves a hole where it was not read', () => {
    const readings = [
      [10, 1200],
      [0, 0],
      [5, 500],
      [5, 600],
      [15, 1800],
      [20, 2400],
      [60, 9000],
      [65, 9600],
    ] as const;
    const { rows } = parseDemandCsv(csv('total', readings));
    expect(rows.map(({ at: time, rps }) => [time, rps])).toEqual([0, 5, 10, 15, 60].map((minute) => [ms(minute), 2]));
  });
});

describe('counts of requests', () => {
  it('gives rates by the time to the next row, also where steps are mixed', () => {
    const counts = [
      [0, 3600],
      [60, 7200],
      [120, 300],
      [125, 600],
      [130, 900],
    ] as const;
    const { rows, problems } = parseDemandCsv(csv('requests', counts));
    expect(problems).toEqual([]);
    expect(rows.map(({ rps }) => rps)).toEqual([1, 2, 1, 2, 3]);
  });

  it('does not stretch a count over a hole', () => {
    const counts = [
      [0, 300],
      [5, 300],
      [10, 300],
      [15, 300],
      [120, 300],
      [125, 300],
    ] as const;
    expect(parseDemandCsv(csv('requests', counts)).rows.map(({ rps }) => rps)).toEqual(Array(6).fill(1));
  });
});

describe('the header', () => {
  it('takes one of rps, requests and total', () => {
    const codes = (text: string): string[] =>
      parseDemandCsv(text).problems.map(({ code, field }) => `${code} ${field}`);
    expect(codes('timestamp,service\n')).toEqual(['missing-column rps']);
    expect(codes('timestamp,service,total,rps\n')).toEqual(['duplicate-column total']);
    expect(codes('timestamp,service,totl\n')).toEqual(['unknown-column totl', 'missing-column rps']);
    expect(parseDemandCsv('').problems[0]?.expected).toBe('a header timestamp,service,rps');
  });

  it('cannot make a rate of a single row, and says so with its line', () => {
    for (const column of ['requests', 'total']) {
      const { rows, problems } = parseDemandCsv(csv(column, [[0, 5]]));
      expect([rows, problems]).toMatchObject([[], [{ line: 2, field: 'timestamp' }]]);
    }
  });
});
