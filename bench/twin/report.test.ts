import { describe, expect, it } from '@jest/globals';

import { median, quantile } from '../statistics.js';
import { figuresOf, lagP99Ms } from './figures.js';
import type { Figures } from './figures.js';
import type { Sent } from './load.js';
import { loadsOf, ratesOf } from './loads.js';
import { cellTable, cellsOf, summaryOf } from './report.js';

const figures = (change: Partial<Figures> = {}): Figures => {
  return { offeredRps: 100, p50Ms: 50, p99Ms: 200, goodputRps: 90, errorPercent: 10, ...change };
};
const sent = (intendedMs: number, change: Partial<Sent> = {}): Sent => {
  return { intendedMs, lagMs: 0, latencyMs: 10, status: 200, ...change };
};

describe('figures of a run', () => {
  it('leave the warm-up out, and count what was late or failed', () => {
    const all = [
      sent(0, { latencyMs: 9000 }),
      sent(1000),
      sent(1500, { latencyMs: 30 }),
      sent(2000, { latencyMs: 400 }),
      sent(2500, { status: 503, latencyMs: 1 }),
    ];
    expect(figuresOf(all, { durationMs: 3000, warmUpMs: 1000, deadlineMs: 100 })).toEqual({
      offeredRps: 2,
      p50Ms: 30,
      p99Ms: 400,
      goodputRps: 1,
      errorPercent: 25,
    });
  });

  it('know the send lag that makes a run void', () => {
    const all = Array.from({ length: 200 }, (_, i) => sent(i, { lagMs: i < 197 ? 0.2 : 5 }));
    expect(lagP99Ms(all)).toBe(5);
    expect(lagP99Ms(all.slice(0, 199))).toBe(5);
    expect(lagP99Ms(all.slice(0, 198))).toBe(0.2);
  });

  it('have quantiles by nearest rank', () => {
    expect(quantile([3, 1, 2], 0.5)).toBe(2);
    expect(quantile([], 0.5)).toBeNaN();
    expect(median([4, 1, 3, 2])).toBe(2.5);
    expect(median([3, 1, 2])).toBe(2);
  });
});

describe('loads', () => {
  it('count the same time, the step from the step on', () => {
    const loads = loadsOf(20_000, 4000);
    for (const { durationMs, warmUpMs } of loads) expect(durationMs - warmUpMs).toBe(20_000);
    const step = loads.at(-1);
    expect(step?.points.at(-1)?.atMs).toBe(step?.warmUpMs);
    expect(step === undefined ? [] : ratesOf(step, 100).map(({ rps }) => rps)).toEqual([70, 150]);
  });
});

describe('cells', () => {
  const below = { name: '0.5×', judged: 'latency' } as const;
  const above = { name: '2×', judged: 'goodput' } as const;

  it('are judged by what is promised of their load', () => {
    const real = [figures(), figures({ p99Ms: 400 }), figures({ p99Ms: 190 })];
    const twin = [figures({ p99Ms: 231, p50Ms: 57, errorPercent: 10.4, goodputRps: 70 })];
    const judge = (load: Parameters<typeof cellsOf>[0]): unknown[] =>
      cellsOf(load, real, twin).map(({ figure, within }) => [figure, within]);
    expect(judge(below)).toEqual([
      ['p50Ms', true],
      ['p99Ms', false],
      ['errorPercent', true],
    ]);
    expect(judge(above)).toEqual([
      ['goodputRps', false],
      ['errorPercent', true],
      ['p50Ms', undefined],
      ['p99Ms', undefined],
    ]);
  });

  it('say what may be chance: what spreads of itself as far', () => {
    const twin = [figures({ errorPercent: 8 }), figures({ errorPercent: 11 }), figures({ errorPercent: 14 })];
    const steady = [11, 11, 11].map((errorPercent) => figures({ errorPercent }));
    const table = (runs: Figures[]): string => cellTable(cellsOf(above, [figures()], runs));
    expect(table(twin)).toContain('beyond 0.5, may be chance');
    expect(table(steady)).toContain('**beyond 0.5**');
  });

  it('without a run that counts are within nothing', () => {
    const cells = cellsOf(below, [], []);
    expect(cells.map(({ within }) => within)).toEqual([false, false, false]);
    expect(cellTable(cells)).toContain('void');
    expect(summaryOf(cells)).toBe('p50 0 of 1, p99 0 of 1, goodput 0 of 0, errors 0 of 1');
  });
});
