import { describe, expect, it } from '@jest/globals';

import { forecastOf } from '../../test/fixtures/regionSpec.js';
import { parseDemand } from './parseDemand.js';

const FORECAST = forecastOf({ front: 400, cart: 100 });
const [FRONT, CART] = FORECAST.series;

function problemsOf(value: unknown): string[] {
  const parsed = parseDemand(typeof value === 'string' ? value : JSON.stringify(value), 'demand.json');
  return parsed.ok
    ? []
    : parsed.problems.map((problem) => `${problem.file ?? ''} ${problem.field}: ${problem.message}`);
}

describe('parseDemand', () => {
  it('reads what a forecast prints, and what a person writes with less in it', () => {
    expect(parseDemand(JSON.stringify(FORECAST), 'demand.json')).toMatchObject({ ok: true, value: FORECAST });
    const short = { service: 'front', trust: 'high', timestamps: FRONT?.timestamps, quantiles: FRONT?.quantiles };
    expect(problemsOf({ series: [short] })).toEqual([]);
  });

  it.each([
    ['no JSON', '{', /\(document\): is no JSON/],
    ['no list', { series: null }, /series: has no value/],
    ['nothing', { series: [] }, /series: /],
    [
      'a number that is none',
      { series: [{ ...FRONT, quantiles: { ...FRONT?.quantiles, p95: [1, null, 3] } }] },
      /series\[0\]\.quantiles\.p95\[1\]/,
    ],
    [
      'too few values',
      { series: [{ ...FRONT, quantiles: { ...FRONT?.quantiles, p99: [1] } }] },
      /p99: has 1 values for 3 timestamps/,
    ],
    [
      'quantiles that cross',
      { series: [{ ...FRONT, quantiles: { ...FRONT?.quantiles, p99: [1, 1, 1] } }] },
      /p99\[0\]: is 1, below p95/,
    ],
    [
      'times that fall',
      { series: [{ ...FRONT, timestamps: [...(FRONT?.timestamps ?? [])].reverse() }] },
      /timestamps\[1\]: does not follow/,
    ],
    ['a service twice', { series: [FRONT, FRONT] }, /series\[1\]\.service: repeats "front"/],
    [
      'another horizon',
      {
        series: [
          FRONT,
          { ...CART, timestamps: ['2026-02-01T00:00:00Z', '2026-02-01T01:00:00Z', '2026-02-01T02:00:00Z'] },
        ],
      },
      /are not those of front/,
    ],
    ['a trust that is none', { series: [{ ...FRONT, trust: 'certain' }] }, /series\[0\]\.trust/],
  ])('names %s', (_, value, expected) => {
    expect(problemsOf(value).join('\n')).toMatch(expected);
  });

  it('names every problem, up to a number that a person can read', () => {
    const many = Array.from({ length: 90 }, () => ({ ...FRONT, trust: 'certain' }));
    expect(problemsOf({ series: many })).toHaveLength(51);
  });
});
