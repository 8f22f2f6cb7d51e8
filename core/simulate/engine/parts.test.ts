import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { Arrivals } from './arrivals.js';
import { EventQueue } from './eventQueue.js';
import { PURPOSE, gaussian, mix, uniform } from './hash.js';
import { maglevTable, ringTable } from './hashTables.js';
import { Histogram, QUANTILE_ERROR } from './histogram.js';
import { TokenBucket } from './tokenBucket.js';
import { WorkTime, meanOf } from './workTime.js';
import type { ServiceTime } from '../model.js';

describe('EventQueue', () => {
  it('gives events by time, of equal times in the order in which they were said', () => {
    const step = fc.oneof(fc.integer({ min: 0, max: 20 }), fc.constant(-1));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
        const queue = new EventQueue(4);
        let model: { time: number; what: number }[] = [];
        steps.forEach((time, what) => {
          if (time >= 0) {
            queue.push(time, what);
            model = [...model, { time, what }].sort((a, b) => a.time - b.time || a.what - b.what);
          } else if (model.length > 0) {
            expect(queue.nextTime()).toBe(model[0]!.time);
            expect(queue.pop()).toBe(model.shift()!.what);
          }
        });
        expect(queue.size).toBe(model.length);
      }),
    );
  });
});

describe('Histogram', () => {
  it('gives quantiles of the nearest rank within the error that it states', () => {
    const times = fc.array(fc.double({ min: 0.001, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(times, fc.double({ min: 0.01, max: 1, noNaN: true }), (all, level) => {
        const histogram = new Histogram();
        for (const time of all) histogram.add(time);
        const exact = [...all].sort((a, b) => a - b)[Math.max(1, Math.ceil(level * all.length)) - 1]!;
        expect(Math.abs(histogram.quantile(level)! / exact - 1)).toBeLessThanOrEqual(QUANTILE_ERROR);
      }),
    );
  });

  it('merges, and is empty again when cleared', () => {
    const [a, b] = [new Histogram(), new Histogram()];
    for (let i = 1; i <= 100; i++) (i % 2 === 0 ? a : b).add(i);
    a.mergeInto(b);
    expect(b.count).toBe(100);
    expect(Math.abs(b.quantile(0.5)! / 50 - 1)).toBeLessThan(QUANTILE_ERROR);
    a.clear();
    expect(a.quantile(0.5)).toBeNull();
  });
});

describe('draws by key', () => {
  it('are uniform, and those of neighbouring keys and purposes do not resemble each other', () => {
    for (const step of [(i: number) => [i, 5], (i: number) => [77, i], (i: number) => [mix(1, i), 5]] as const) {
      const draws = Array.from({ length: 20_000 }, (_, i) => uniform(...(step(i) as [number, number])));
      const bins = new Float64Array(100);
      let product = 0;
      draws.forEach((draw, i) => {
        bins[Math.floor(draw * 100)]!++;
        if (i > 0) product += (draw - 0.5) * (draws[i - 1]! - 0.5);
      });
      const chi2 = bins.reduce((sum, count) => sum + (count - 200) ** 2 / 200, 0);
      // 99 degrees of freedom: beyond 160 once in 10,000.
      expect(chi2).toBeLessThan(160);
      // Correlation of 20,000 pairs: standard error 0.007.
      expect(Math.abs(product / draws.length) * 12).toBeLessThan(0.03);
    }
  });

  it('give a standard normal', () => {
    const draws = Array.from({ length: 20_000 }, (_, i) => gaussian(mix(3, i), PURPOSE.work));
    const mean = draws.reduce((sum, one) => sum + one, 0) / draws.length;
    const variance = draws.reduce((sum, one) => sum + one * one, 0) / draws.length;
    expect(Math.abs(mean)).toBeLessThan(0.03);
    expect(Math.abs(variance - 1)).toBeLessThan(0.04);
  });
});

describe('WorkTime', () => {
  it.each<{ time: ServiceTime; cv: number }>([
    { time: { kind: 'constant', meanMs: 5 }, cv: 0 },
    { time: { kind: 'exponential', meanMs: 5 }, cv: 1 },
    { time: { kind: 'lognormal', meanMs: 5, cv: 0.5 }, cv: 0.5 },
    { time: { kind: 'hyperexponential', meanMs: 5, cv: 2 }, cv: 2 },
    { time: { kind: 'quantiles', levels: [0, 0.5, 1], timesMs: [0, 4, 12] }, cv: 0.7024 },
  ])('$time.kind has the mean and the variation that it is given', ({ time, cv }) => {
    const work = new WorkTime(time);
    const draws = Array.from({ length: 100_000 }, (_, i) => work.draw(mix(9, i)));
    const mean = draws.reduce((sum, one) => sum + one, 0) / draws.length;
    const deviation = Math.sqrt(draws.reduce((sum, one) => sum + (one - mean) ** 2, 0) / draws.length);
    expect(Math.abs(mean - 5)).toBeLessThan(0.05 * (1 + cv));
    expect(meanOf(time)).toBeCloseTo(5, 6);
    expect(Math.abs(deviation / mean - cv)).toBeLessThan(0.03 * (1 + cv));
  });
});

describe('Arrivals', () => {
  const count = (arrivals: Arrivals, until: number): Float64Array => {
    const seconds = new Float64Array(until / 1000);
    for (let time = arrivals.next(); time < until; time = arrivals.next()) seconds[Math.floor(time / 1000)]!++;
    return seconds;
  };
  const spread = (seconds: Float64Array): { mean: number; index: number } => {
    const mean = seconds.reduce((sum, one) => sum + one, 0) / seconds.length;
    return { mean, index: seconds.reduce((sum, one) => sum + (one - mean) ** 2, 0) / seconds.length / mean };
  };

  it.each([1, 4])('have the rate and the index of dispersion %p', (dispersion) => {
    const demand = { entry: 'users', shape: 'step' as const, points: [{ atMs: 0, rps: 50 }], dispersion };
    const { mean, index } = spread(count(new Arrivals(demand, 5), 2_000_000));
    expect(Math.abs(mean - 50)).toBeLessThan(4 * Math.sqrt((dispersion * 50) / 2000));
    expect(Math.abs(index / dispersion - 1)).toBeLessThan(0.15);
  });

  it('follow a rate that rises straight, and end where it is nothing', () => {
    const points = [
      { atMs: 0, rps: 0 },
      { atMs: 100_000, rps: 200 },
      { atMs: 100_001, rps: 0 },
    ];
    const seconds = count(new Arrivals({ entry: 'users', shape: 'linear', points }, 7), 200_000);
    const sum = (from: number, to: number): number => seconds.slice(from, to).reduce((all, one) => all + one, 0);
    expect(Math.abs(sum(0, 50) - 2500)).toBeLessThan(4 * 50);
    expect(Math.abs(sum(50, 100) - 7500)).toBeLessThan(4 * 87);
    expect(sum(101, 200)).toBe(0);
  });
});

describe('TokenBucket', () => {
  it('lets through exactly the burst and what it fills, however often it is asked', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 2, max: 50 }), (rps, burst) => {
        const bucket = new TokenBucket(rps, burst);
        let taken = 0;
        // Asked every half ms, it never overflows once it was emptied; with a burst of 1 it would.
        for (let half = 0; half <= 20_000; half++) if (bucket.take(half / 2)) taken++;
        expect(taken).toBe(burst + 10 * rps);
      }),
      { numRuns: 20 },
    );
  });

  it('holds no more than the burst, and is full again when it is changed', () => {
    const bucket = new TokenBucket(1, 2);
    const take = (at: number): number => Array.from({ length: 10 }, () => bucket.take(at)).filter(Boolean).length;
    expect([take(0), take(60_000), take(60_500)]).toEqual([2, 2, 0]);
    bucket.set(1, 3, 60_500);
    expect(take(60_500)).toBe(3);
    bucket.set(1, 3, 60_500);
    expect(take(60_500)).toBe(0);
  });
});

describe('tables of hashing policies', () => {
  const hosts = (count: number): { host: number; share: number }[] =>
    Array.from({ length: count }, (_, host) => ({ host, share: 1 / count }));
  const shares = (table: Int32Array, count: number): number[] =>
    hosts(count).map(({ host }) => table.filter((one) => one === host).length / table.length);

  it('MAGLEV is even to a percent, and by weight', () => {
    for (const share of shares(maglevTable(hosts(20), 1), 20)) expect(Math.abs(share * 20 - 1)).toBeLessThan(0.01);
    const [two, one] = shares(
      maglevTable(
        [
          { host: 0, share: 2 / 3 },
          { host: 1, share: 1 / 3 },
        ],
        1,
      ),
      2,
    );
    expect(two! / one!).toBeCloseTo(2, 2);
  });

  it('RING_HASH is as uneven as 1,024 points are', () => {
    const even = shares(ringTable(hosts(16), 1), 16);
    const deviation = Math.sqrt(even.reduce((sum, share) => sum + (share * 16 - 1) ** 2, 0) / 16);
    // 64 points each: standard deviation 1/√64.
    expect(deviation).toBeGreaterThan(0.06);
    expect(deviation).toBeLessThan(0.2);
  });

  it('move few users when a host goes', () => {
    const less = hosts(10).filter(({ host }) => host !== 3);
    for (const make of [ringTable, maglevTable]) {
      const [before, after] = [
        make(hosts(10), 1),
        make(
          less.map((one) => ({ ...one, share: 1 / 9 })),
          1,
        ),
      ];
      const moved = before.filter((host, i) => host !== 3 && after[i] !== host).length / before.length;
      // A ring of 1,024 points gives the nine that are left more points each.
      expect(moved).toBeLessThan(0.1);
    }
  });
});
