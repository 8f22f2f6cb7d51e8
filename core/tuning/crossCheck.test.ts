import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { QUIET, UNKNOWN_SIGNALS, observation, seen } from './fixtures.js';
import type { Observation, ServiceObservation } from '../spec/observation.js';
import { crossCheck } from './crossCheck.js';
import type { OwnWindow } from './ownWindows.js';
import { windowBetween } from './ownWindows.js';
import { withSaturation, withSignals } from './saturation.js';
import type { ServiceSignals, SignalSet } from '../spec/signals.js';
import type { ServiceSpec } from '../spec/region.js';

function signals(change: Partial<ServiceSignals>, seconds = 10): SignalSet {
  const services = [{ service: 'shop', ...UNKNOWN_SIGNALS, ageSeconds: 1, ...change }];
  return { source: 'prometheus p', fromMs: 0, toMs: seconds * 1000, services, problems: [] };
}

/** Of a window that ends when the observation was made. */
function signalsAt(seconds: number, change: Partial<ServiceSignals>): SignalSet {
  const toMs = Date.parse(observation([]).at);
  return { ...signals(change), fromMs: toMs - seconds * 1000, toMs };
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
    const other = crossCheck(observation([seen('shop')]), signalsAt(60, { rps: 500 }));
    expect(other.contradictions).toEqual([]);
    expect(other.problems).toEqual([
      expect.stringContaining('tells of 60.0 s, of which the proxies were read for 10.0 s'),
    ]);
    const partial = crossCheck(observation([seen('shop', { completeness: 0.5 })]), signals({ rps: 500 }));
    expect(partial).toMatchObject({
      contradictions: [],
      problems: [expect.stringContaining('only some of the proxies')],
    });
  });

  describe('with another source that measures a longer window', () => {
    const AT_MS = Date.parse(observation([]).at);
    /** Ticks of 10 s with so many requests per second each, the newest last, which is the observation's own. */
    const compare = (rates: readonly number[], told: Partial<ServiceSignals>): Observation => {
      const windows = rates.map((rps, i): OwnWindow => {
        const endMs = AT_MS - (rates.length - 1 - i) * 10_000;
        return { service: 'shop', endMs, seconds: 10, requests: rps * 10, answered: rps * 10, failed: 0 };
      });
      const rps = rates.at(-1) ?? 0;
      const own = observation([seen('shop', { rps, requests: rps * 10, ageSeconds: 0 })]);
      return crossCheck(own, signalsAt(60, told), windows.slice(0, -1));
    };
    const doubled = [50, 50, 50, 50, 50, 50, 50, 50, 100];

    it('is not contradicted by a load that changed in the newest tick', () => {
      expect(compare(doubled, { rps: 58 })).toMatchObject({ contradictions: [], problems: [] });
    });

    it('may be late by the age of its newest sample, and no more', () => {
      const tenfold = [50, 50, 50, 50, 50, 50, 50, 500, 500];
      for (const rps of [80, 125, 200]) {
        expect(compare(tenfold, { rps, ageSeconds: 15 }).contradictions).toEqual([]);
      }
      expect(compare(tenfold, { rps: 30, ageSeconds: 15 }).contradictions).toHaveLength(1);
      expect(compare(tenfold, { rps: 50, ageSeconds: 1 }).contradictions).toHaveLength(1);
      expect(compare(tenfold, { rps: 300, ageSeconds: 15 }).contradictions).toHaveLength(1);
    });

    it('is contradicted all the same when it says something else', () => {
      expect(compare(doubled, { rps: 100 }).contradictions).toHaveLength(1);
      expect(compare(doubled, { rps: 58, errorRate: 0.2 }).contradictions).toMatchObject([{ quantity: 'errorRate' }]);
    });

    it('is not compared across a gap', () => {
      expect(compare([50, 100], { rps: 500 }).contradictions).toEqual([]);
      expect(compare([50, 50, 50, 100], { rps: 500 }).problems).toEqual([expect.stringContaining('read for 40.0 s')]);
    });
  });

  it('counts time that two windows share once', () => {
    const one = { service: 'shop', requests: 100, answered: 100, failed: 10 };
    const windows = [
      { ...one, endMs: 10_000, seconds: 10 },
      { ...one, endMs: 12_000, seconds: 10 },
      { ...one, endMs: 12_000, seconds: 2 },
    ];
    const { window, covered } = windowBetween(windows, 0, 12_000);
    expect(covered).toBe(1);
    expect(window).toMatchObject({ seconds: 12, requests: 120, failed: 12 });
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
