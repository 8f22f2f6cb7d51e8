import { describe, expect, it } from '@jest/globals';

import type { AdmissionFactory } from './control.js';
import { WorkTime } from './engine/workTime.js';
import { oneRegion, runOf, service } from './fixtures.js';
import type { PlaceSketch } from './fixtures.js';
import type { ServiceTime } from './model.js';
import { simulate } from './simulate.js';

const MEAN_MS = 10;
const EXPONENTIAL: ServiceTime = { kind: 'exponential', meanMs: MEAN_MS };

/** Mean waits in mean service times, over seeds: their mean, and 4 standard errors of it. */
function meanWaits(
  time: ServiceTime,
  here: PlaceSketch,
  rps: number,
  seconds: number,
): { mean: number; bound: number } {
  const model = oneRegion([service('a', time, here)]);
  const waits = [1, 2, 3, 4, 5, 6, 7, 8].map((seed) => {
    const times = { durationMs: seconds * 1000, warmUpMs: 10_000, windowMs: 10_000 };
    const { latency } = simulate(runOf(model, rps, { ...times, seed })).totals.services[0]!;
    return (latency.meanMs ?? NaN) / MEAN_MS - 1;
  });
  const mean = waits.reduce((sum, one) => sum + one, 0) / waits.length;
  const variance = waits.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (waits.length - 1);
  return { mean, bound: 4 * Math.sqrt(variance / waits.length) };
}

function erlangC(servers: number, load: number): number {
  let blocking = 1;
  for (let n = 1; n <= servers; n++) blocking = (load * blocking) / (n + load * blocking);
  return blocking / (1 - (load / servers) * (1 - blocking));
}

describe('a queue', () => {
  it.each([
    { name: 'M/M/1 at 0.7', time: EXPONENTIAL, workers: 1, rps: 70, seconds: 250, expected: 0.7 / 0.3 },
    {
      name: 'M/M/8 at 0.8',
      time: EXPONENTIAL,
      workers: 8,
      rps: 640,
      seconds: 60,
      expected: erlangC(8, 6.4) / (8 - 6.4),
    },
    {
      name: 'M/D/1 at 0.7',
      time: { kind: 'constant' as const, meanMs: MEAN_MS },
      workers: 1,
      rps: 70,
      seconds: 250,
      expected: 0.7 / (2 * 0.3),
    },
    {
      // Pollaczek and Khinchine.
      name: 'M/G/1 with CV 2 at 0.5',
      time: { kind: 'hyperexponential' as const, meanMs: MEAN_MS, cv: 2 },
      workers: 1,
      rps: 50,
      seconds: 300,
      expected: (0.5 * (1 + 4)) / (2 * 0.5),
    },
  ])('$name waits as the formula says', ({ time, workers, rps, seconds, expected }) => {
    const { mean, bound } = meanWaits(time, { workers }, rps, seconds);
    expect(Math.abs(mean - expected)).toBeLessThan(bound);
    // The bound is not so wide that it proves nothing.
    expect(bound).toBeLessThan(0.2 * expected);
  });

  it('counts an M/M/1/K that refuses what its queue does not hold', () => {
    const model = oneRegion([service('a', EXPONENTIAL, { queue: 4 })]);
    const { services } = simulate(runOf(model, 90, { durationMs: 300_000, windowMs: 10_000 })).totals;
    const { offered, refused } = services[0]!;
    // Five in the system at most.
    const blocked = (0.1 * 0.9 ** 5) / (1 - 0.9 ** 6);
    expect(Math.abs(refused.queueFull / offered - blocked)).toBeLessThan(0.008);
  });
});

/** p99 of the wait at instances' doors, in mean service times: what a request took less the work that it was. */
function waitP99(policy: 'LEAST_REQUEST' | 'ROUND_ROBIN' | 'RANDOM', seed: number): number {
  const waits: number[] = [];
  const work = new WorkTime(EXPONENTIAL);
  const admission: AdmissionFactory = ({ side }) =>
    side !== 'inbound'
      ? undefined
      : {
          onRequest: () => true,
          onResponse: ({ nowMs, latencyMs, key }) => {
            if (nowMs > 10_000) waits.push((latencyMs - work.draw(key)) / MEAN_MS);
          },
        };
  const model = oneRegion([service('a', EXPONENTIAL, { instances: 40, settings: { 'lb.policy': policy } })]);
  simulate(runOf(model, 3400, { durationMs: 40_000, windowMs: 10_000, admission, seed }));
  waits.sort((a, b) => a - b);
  return waits[Math.ceil(0.99 * waits.length) - 1]!;
}

describe('balancing over 40 single-worker instances, 85 % busy', () => {
  // `research/measured.md`: what a simulation apart from this one showed.
  it.each([
    { policy: 'LEAST_REQUEST' as const, measured: 6.6 },
    { policy: 'ROUND_ROBIN' as const, measured: 15.2 },
    { policy: 'RANDOM' as const, measured: 31.7 },
  ])('$policy has a p99 wait of $measured service times', ({ policy, measured }) => {
    const seen = [1, 2].map((seed) => waitP99(policy, seed));
    const mean = seen.reduce((sum, one) => sum + one, 0) / seen.length;
    expect(mean).toBeGreaterThan(0.85 * measured);
    expect(mean).toBeLessThan(1.15 * measured);
  });
});
