import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { QUIET, observation, seen } from './fixtures.js';
import type { ServiceObservation } from '../spec/observation.js';
import { crossCheck } from './crossCheck.js';
import { withSaturation, withSignals } from './saturation.js';
import type { ServiceSignals, SignalSet } from '../spec/signals.js';
import type { ServiceSpec } from '../spec/region.js';

function signals(change: Partial<ServiceSignals>, seconds = 10): SignalSet {
  const nothing = { rps: null, errorRate: null, p50Ms: null, p99Ms: null, readyInstances: null };
  const services = [{ service: 'shop', ...nothing, cpuCores: null, memoryMiB: null, ageSeconds: 1, ...change }];
  return { source: 'prometheus p', fromMs: 0, toMs: seconds * 1000, services, problems: [] };
}

const check = (told: Partial<ServiceSignals>, change: Partial<ServiceObservation> = {}): string[] =>
  crossCheck(observation([seen('shop', change)]), signals(told)).contradictions.map(({ reason }) => reason);

describe('crossCheck', () => {
  it.each([
    ['the same', { rps: 50, errorRate: 0 }, {}, []],
    ['unknown', {}, {}, []],
    ['within a quarter', { rps: 39 }, {}, []],
    ['more than a quarter of many', { rps: 30 }, {}, ['the proxies counted 50.0 rps, prometheus p says 30.0 rps']],
    ['more than a quarter of few, which chance explains', { rps: 1 }, { requests: 5, rps: 0.5 }, []],
    ['requests that we do not see', { rps: 10 }, QUIET, ['the proxies counted 0.0 rps, prometheus p says 10.0 rps']],
    ['requests that only we see', { rps: 0 }, {}, ['prometheus p says 0.0 rps']],
    ['errors that we do not see', { errorRate: 0.1 }, {}, ['the proxies saw 0.00 % errors, prometheus p says 10.00 %']],
    ['errors that only we see', { errorRate: 0 }, { errorRate: 0.2 }, ['saw 20.00 % errors']],
    ['errors of chance', { errorRate: 0.02 }, { requests: 40, rps: 4, errorRate: 0.025 }, []],
    ['one error in ten, of which it has another tenth', { errorRate: 0.102 }, { errorRate: 0.1 }, []],
    [
      'errors among refused requests, which it counts too',
      { errorRate: 0.05 },
      { errorRate: 0.5, errors: { upstream5xx: 25, breaker: 0, rateLimited: 450, timeout: 0, connect: 0 } },
      [],
    ],
    ['values that are none', { rps: Number.NaN, errorRate: -1 }, {}, []],
  ])('%s', (_, told, change, reasons) => {
    const found = check(told, change);
    expect(found).toHaveLength(reasons.length);
    for (const [i, words] of reasons.entries()) expect(found[i]).toContain(words);
  });

  it('compares nothing of another time, and says so', () => {
    const old = crossCheck(observation([seen('shop')]), signals({ rps: 500, ageSeconds: 11 }));
    expect(old.contradictions).toEqual([]);
    expect(old.problems).toEqual([expect.stringContaining('its newest sample is 11.0 s old')]);
    const other = crossCheck(observation([seen('shop')]), signals({ rps: 500 }, 60));
    expect(other.contradictions).toEqual([]);
    expect(other.problems).toEqual([expect.stringContaining('asked for 60.0 s')]);
  });

  it('lets two honest counts of the same requests pass', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 100_000 }), fc.double({ min: -2.9, max: 2.9, noNaN: true }), (n, z) => {
        const other = Math.max(0, n + z * Math.sqrt(n));
        expect(check({ rps: other / 10 }, { requests: n, rps: n / 10 })).toEqual([]);
      }),
    );
  });
});

describe('what only another source knows', () => {
  const spec = {
    name: 'shop',
    capacity: { concurrency: 4, serviceTimeMs: 20, startupSeconds: 1, coresPerInstance: 2 },
  };
  const specs = [spec] as unknown as readonly ServiceSpec[];

  it('is taken where proxies know nothing, and nowhere else', () => {
    const told = signals({ cpuCores: 4, memoryMiB: 512, readyInstances: 9, rps: 1 });
    const [known] = withSignals(observation([seen('shop')]), told).services;
    expect(known).toMatchObject({ rps: 50, readyInstances: 4, cpuCores: 4, memoryMiB: 512 });
    const [unknown] = withSignals(observation([seen('shop', { readyInstances: null })]), told).services;
    expect(unknown?.readyInstances).toBe(9);
  });

  it('makes saturation: 8 in progress, half here, on 4 × 4 slots; 4 of 8 cores', () => {
    const half = seen('shop', { active: 8, cpuCores: 4, shareByRegion: { here: 0.5, there: 0.5 } });
    expect(withSaturation(observation([half]), specs).services[0]?.saturation).toEqual({ busy: 0.25, cpu: 0.5 });
    const none = { ...half, readyInstances: 0 };
    expect(withSaturation(observation([none]), specs).services[0]?.saturation).toEqual({ busy: null, cpu: null });
    const nowhere = { ...half, cpuCores: null, shareByRegion: {} };
    expect(withSaturation(observation([nowhere]), specs).services[0]?.saturation).toEqual({ busy: null, cpu: null });
    const idle = { ...nowhere, active: 0 };
    expect(withSaturation(observation([idle]), specs).services[0]?.saturation).toEqual({ busy: 0, cpu: null });
  });
});
