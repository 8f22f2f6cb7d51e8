import { describe, expect, it } from '@jest/globals';
import { erlangC } from './erlang.js';
import { normalQuantile } from '../../forecast/normalQuantile.js';
import { gammaCdf, gammaQuantile } from './gamma.js';
import { simulateQueues } from './queueSimulation.js';
import { serviceTimeQuantile, serviceTimes, sojournTail } from './serviceTimes.js';
import { highestUtilisation, sojournOf, sojournQuantile } from './sojourn.js';
import type { QueueSetting } from './waitModel.js';

const single: QueueSetting = {
  policy: 'RANDOM',
  instances: 40,
  concurrency: 1,
  proxies: 10,
  serviceTimeCv: 1,
  arrivalCv2: 1,
};

describe('distributions', () => {
  it.each([
    [1, 0.5, Math.LN2],
    [1, 0.99, Math.log(100)],
    // χ² with 2k degrees of freedom, halved: 9.488 for 4 at 95 %.
    [2, 0.95, 9.4877 / 2 / 2],
    [100, 0.5, 0.99667],
  ])('gamma of shape %d at %d', (shape, level, expected) => {
    expect(gammaQuantile(shape, level)).toBeCloseTo(expected, 4);
    expect(gammaCdf(shape, gammaQuantile(shape, level) * shape)).toBeCloseTo(level, 9);
  });

  it('knows the normal distribution', () => {
    expect(normalQuantile(0.975)).toBeCloseTo(1.959964, 5);
    expect(normalQuantile(0.001)).toBeCloseTo(-3.090232, 5);
  });

  it.each([
    [0, 1],
    [0.5, 2.5113],
    [1, 4.60517],
  ])('p99 of services of CV %d', (cv, p99) => {
    expect(serviceTimeQuantile(cv, 0.99)).toBeCloseTo(p99, 3);
  });
});

describe('erlangC', () => {
  it.each([
    [1, 0.85, 0.85],
    [2, 1, 1 / 3],
    [10, 8, 0.40918],
  ])('%d servers under %d erlangs', (servers, offered, expected) => {
    expect(erlangC(servers, offered)).toBeCloseTo(expected, 4);
  });
});

describe('sojournTail', () => {
  it('is exact for M/M/1: exponential with rate 1 − ρ', () => {
    const tail = sojournTail(serviceTimes(1), 20, [{ waiting: 0.8, scale: 5, shape: 0 }]);
    expect(Math.log(tail)).toBeCloseTo(-0.2 * 20, 2);
  });

  it('adds a uniform wait to a constant service', () => {
    const uniform = [{ waiting: 0.4, scale: 0.5, shape: -1 }];
    expect(sojournTail(serviceTimes(0), 1.25, uniform)).toBeCloseTo(0.4 * 0.75, 9);
    expect(sojournTail(serviceTimes(0), 2.01, uniform)).toBe(0);
  });
});

describe('the model of waiting', () => {
  it.each([
    ['RANDOM', 31.7],
    ['ROUND_ROBIN', 18.0],
    ['LEAST_REQUEST', 12.5],
  ] as const)('%s, 40 single workers 85 % busy behind 10 proxies: p99 %d', (policy, p99) => {
    const found = sojournQuantile(sojournOf({ ...single, policy }), 0.85);
    expect(Math.abs(found / p99 - 1)).toBeLessThan(0.15);
  });

  it.each(['LEAST_REQUEST', 'ROUND_ROBIN'] as const)('%s lies between Erlang C and a random split', (policy) => {
    for (const concurrency of [1, 4, 16]) {
      for (const proxies of [1, 10, 100]) {
        for (const t of [6, 10, 20]) {
          const setting = { ...single, concurrency, proxies };
          const found = highestUtilisation(sojournOf({ ...setting, policy }), t);
          const random = highestUtilisation(sojournOf(setting), t);
          const pooled = highestUtilisation(
            sojournOf({ ...setting, instances: 1, concurrency: concurrency * single.instances }),
            t,
          );
          expect(found).toBeGreaterThan(random * 0.97);
          expect(found).toBeLessThan(pooled * 1.03);
        }
      }
    }
  });
});

describe('simulateQueues', () => {
  const run = { ...single, utilisation: 0.7, requests: 200_000, seed: 3 };

  it('finds M/M/1 under a random split', () => {
    const found = simulateQueues(run);
    const exact = Math.log(100) / 0.3;
    expect(found.waiting).toBeCloseTo(0.7, 1);
    expect(Math.abs(found.p99 / exact - 1)).toBeLessThan(0.08);
    expect(found.p99Low).toBeLessThan(exact);
    expect(found.p99High).toBeGreaterThan(exact);
  });

  it('finds M/M/c in one instance', () => {
    const found = simulateQueues({ ...run, instances: 1, concurrency: 10, utilisation: 0.8 });
    expect(Math.abs(found.waiting - erlangC(10, 8))).toBeLessThan(0.02);
  });

  it.each([
    ['LEAST_REQUEST', 6.6],
    ['ROUND_ROBIN', 15.2],
    ['RANDOM', 31.7],
  ] as const)('%s, 40 single workers 85 %% busy behind one proxy: p99 wait %d', (policy, waitP99) => {
    const found = simulateQueues({ ...run, policy, proxies: 1, utilisation: 0.85, requests: 400_000 });
    expect(Math.abs(found.waitP99 / waitP99 - 1)).toBeLessThan(0.12);
  });

  it('waits 0.53 where the 40 workers share one queue', () => {
    const found = simulateQueues({ ...run, instances: 1, concurrency: 40, utilisation: 0.85, requests: 400_000 });
    expect(Math.abs(found.waitP99 - 0.53)).toBeLessThan(0.08);
  });

  it('gives the same for the same seed and something else for another', () => {
    const short = { ...run, requests: 20_000 };
    expect(simulateQueues(short)).toEqual(simulateQueues(short));
    expect(simulateQueues({ ...short, seed: 4 }).p99).not.toBe(simulateQueues(short).p99);
  });

  it('orders the policies as they were measured: two choices, turns, random, hashing', () => {
    const waits = (['LEAST_REQUEST', 'ROUND_ROBIN', 'RANDOM', 'RING_HASH'] as const).map(
      (policy) => simulateQueues({ ...run, policy, proxies: 1 }).waitP99,
    );
    expect(waits).toEqual([...waits].sort((a, b) => a - b));
  });

  it('waits more behind more proxies, as each sees less', () => {
    const waits = [1, 4, 40].map(
      (proxies) =>
        simulateQueues({ ...run, policy: 'LEAST_REQUEST', concurrency: 4, utilisation: 0.9, proxies }).waitP99,
    );
    expect(waits).toEqual([...waits].sort((a, b) => a - b));
  });
});
