import { describe, expect, it } from '@jest/globals';

import { planOf } from '../../test/fixtures/planned.js';
import { forecastOf, shopRegion } from '../../test/fixtures/regionSpec.js';
import { windowAt } from '../plan/windowAt.js';
import { demandOfTrace, demandOfWindow } from './demandOf.js';
import type { DemandSource } from './demandOf.js';
import type { Result } from '../spec/problem.js';

const options = { entries: ['front', 'api'], speed: 1, quantile: 'p80' as const };

function pointsOf(read: Result<DemandSource>): Record<string, readonly { atMs: number; rps: number }[]> {
  if (!read.ok) throw new Error(JSON.stringify(read.problems));
  return Object.fromEntries(read.value.demand.entries.map(({ entry, points }) => [entry, points]));
}

describe('demandOfTrace', () => {
  const csv = [
    'timestamp,service,rps',
    '2026-01-01T00:02:00Z,front,30',
    '2026-01-01T00:00:00Z,front,10',
    '2026-01-01T00:01:00Z,api,5',
  ];

  it('holds each rate until the next, counts from the first of all, and passes as fast as told', () => {
    const read = demandOfTrace(csv.join('\n'), 'trace.csv', { ...options, speed: 2 });
    expect(pointsOf(read)).toEqual({
      front: [
        { atMs: 0, rps: 10 },
        { atMs: 60_000, rps: 30 },
      ],
      api: [
        { atMs: 0, rps: 0 },
        { atMs: 30_000, rps: 5 },
      ],
    });
    expect(read.ok && read.value.seconds).toBe(120);
  });

  it('takes the stated quantile of a forecast', () => {
    const forecast = forecastOf({ front: 40 });
    const [series] = forecast.series;
    const read = demandOfTrace(JSON.stringify(forecast), 'forecast.json', options);
    expect(pointsOf(read)['front']?.map(({ rps }) => rps)).toEqual(series!.quantiles.p80);
  });

  it('refuses what is twice there, and services at which nobody enters', () => {
    const read = demandOfTrace([...csv, csv[1], '2026-01-01T00:00:00Z,stock,1'].join('\n'), 'trace.csv', options);
    expect(!read.ok && read.problems.map(({ code, file }) => [code, file])).toEqual([
      ['no-entry', 'trace.csv'],
      ['repeated', 'trace.csv'],
    ]);
  });
});

describe('demandOfWindow', () => {
  const window = windowAt(planOf(shopRegion(), forecastOf({ front: 400 })));

  it('is what the plan states of the entries', () => {
    const front = window.services.find(({ service }) => service === 'front')!;
    expect(pointsOf(demandOfWindow(window, ['front'], undefined))).toEqual({
      front: [{ atMs: 0, rps: front.demand.rps }],
    });
  });

  it('leaves out what other services ask of an entry', () => {
    const read = pointsOf(demandOfWindow(window, ['front', 'cart'], undefined));
    expect(read['cart']).toEqual([{ atMs: 0, rps: expect.closeTo(0, 6) }]);
  });

  it('refuses a quantile that the plan does not state', () => {
    const own = window.services[0]!.demand.quantile;
    expect(demandOfWindow(window, ['front'], own).ok).toBe(true);
    const other = demandOfWindow(window, ['front'], own === 'p50' ? 'p95' : 'p50');
    expect(!other.ok && other.problems[0]?.message).toContain(`the plan states ${own} of front only`);
  });
});
