import { describe, expect, it } from '@jest/globals';

import { calibrateService } from './calibrate.js';
import type { SeenLoad } from './calibrate.js';
import { oneRegion, runOf, service } from './fixtures.js';
import { timeOf } from './serviceTime.js';
import { simulate } from './simulate.js';

const INSTANCES = 4;
const PROXIES = 2;

/** What the twin itself shows of a service, at loads of so large a part of its capacity. */
function seenAt(meanMs: number, cv: number, workers: number, known: boolean): SeenLoad[] {
  const model = oneRegion([service('a', timeOf(meanMs, cv), { instances: INSTANCES, workers })], PROXIES);
  return [0.4, 0.55, 0.7, 0.85].map((load) => {
    const rps = (load * INSTANCES * workers * 1000) / meanMs;
    const durationMs = (25_000 / rps) * 1000;
    const { latency, utilisation } = simulate(runOf(model, rps, { durationMs, windowMs: 5000 })).totals.services[0]!;
    const busy = known ? { utilisation: utilisation! } : {};
    return { instances: INSTANCES, rps, p50Ms: latency.p50Ms!, p99Ms: latency.p99Ms!, ...busy };
  });
}

describe('calibrateService', () => {
  it.each([
    { meanMs: 20, cv: 1, workers: 1, known: false },
    { meanMs: 20, cv: 0.5, workers: 4, known: false },
    { meanMs: 5, cv: 1, workers: 8, known: true },
    { meanMs: 50, cv: 1.6, workers: 2, known: true },
  ])(
    'finds $workers workers of $meanMs ms and CV $cv again (utilisation known: $known)',
    ({ meanMs, cv, workers, known }) => {
      const found = calibrateService(seenAt(meanMs, cv, workers, known), {
        policy: 'LEAST_REQUEST',
        proxies: PROXIES,
      })!;
      expect(Math.abs(found.meanMs / meanMs - 1)).toBeLessThan(known ? 0.03 : 0.1);
      expect(Math.abs(found.cv - cv)).toBeLessThan(0.2);
      expect(Math.abs(found.workers / workers - 1)).toBeLessThan(0.26);
      expect(found.misfit).toBeLessThan(0.15);
    },
  );

  it('does not guess from two loads', () => {
    const two = seenAt(20, 1, 1, true).slice(0, 2);
    expect(calibrateService(two, { policy: 'LEAST_REQUEST', proxies: PROXIES })).toBeUndefined();
  });
});
