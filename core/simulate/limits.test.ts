import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { Run } from './engine/run.js';
import { oneRegion, place, runOf, service } from './fixtures.js';
import type { PlaceSketch } from './fixtures.js';
import type { ServiceTime, TwinRun } from './model.js';
import type { ServiceResult } from './result.js';
import { simulate } from './simulate.js';

const SHORT: ServiceTime = { kind: 'constant', meanMs: 10 };
const LONG: ServiceTime = { kind: 'constant', meanMs: 100_000 };

function one(time: ServiceTime, here: PlaceSketch, rps: number, change: Partial<TwinRun> = {}): ServiceResult {
  return simulate(runOf(oneRegion([service('a', time, here)]), rps, change)).totals.services[0]!;
}

/** Of what instances see, the most that was in flight from one proxy. */
function mostInFlight(here: PlaceSketch, rps: number, proxies = 1): number {
  let most = 0;
  simulate({
    ...runOf(oneRegion([service('a', SHORT, here)], proxies), rps),
    control: {
      intervalMs: 1,
      onTick: ({ proxies: all }) => {
        for (const { inFlight } of all) most = Math.max(most, inFlight);
        return [];
      },
    },
  });
  return most;
}

describe('local rate limit (Envoy: token bucket per proxy and listener)', () => {
  it('admits the burst and the rate to the request, at each proxy', () => {
    const settings = { 'rateLimit.rps': 20, 'rateLimit.burst': 30 };
    const { admitted, refused, offered } = one(SHORT, { workers: 100, settings }, 500);
    // A token may be filled between the last request and the end.
    expect([230, 229]).toContain(admitted);
    expect(refused.rateLimit).toBe(offered - admitted);
    const two = simulate(runOf(oneRegion([service('a', SHORT, { workers: 100, settings })], 2), 1000));
    expect(Math.abs(two.totals.services[0]!.admitted - 460)).toBeLessThanOrEqual(2);
  });

  it('refuses as far as it is enforced, and counts what it would', () => {
    const settings = { 'rateLimit.rps': 20, 'rateLimit.burst': 20, 'rateLimit.enforcedPercent': 0 };
    const counted = one(SHORT, { workers: 100, settings }, 500);
    expect(counted.refused.rateLimit).toBe(0);
    expect(Math.abs(counted.rateLimitWould - (counted.offered - 220))).toBeLessThanOrEqual(2);
    const half = one(SHORT, { workers: 100, settings: { ...settings, 'rateLimit.enforcedPercent': 50 } }, 500);
    expect(Math.abs(half.refused.rateLimit / half.rateLimitWould - 0.5)).toBeLessThan(0.03);
  });
});

describe('breakers (Envoy: circuit_breakers of each proxy)', () => {
  it('keep maxRequests in flight from one proxy and refuse the rest at once', () => {
    const settings = { 'breaker.maxRequests': 7 };
    expect(mostInFlight({ workers: 5, settings }, 2000)).toBe(7);
    expect(mostInFlight({ workers: 5, settings }, 4000, 2)).toBe(7);
    const { refused, succeeded, latency } = one(SHORT, { workers: 5, settings }, 2000);
    expect(refused.breaker).toBeGreaterThan(10_000);
    // Five workers of 10 ms were never idle.
    expect(succeeded).toBeGreaterThan(4950);
    expect(latency.p99Ms).toBeLessThan(30);
  });

  it('make a request wait for a connection of its host at maxConnections, and refuse beyond maxPendingRequests', () => {
    const settings = { 'breaker.maxConnections': 2, 'breaker.maxPendingRequests': 3 };
    expect(mostInFlight({ workers: 9, settings }, 2000)).toBe(5);
    // With HTTP/2 requests share a connection, and neither is in the way.
    const shared = one(SHORT, { workers: 50, settings, change: { multiplexed: true } }, 2000);
    expect(shared.refused.breaker).toBe(0);
  });
});

describe('inbound limits (an Envoy in front of each instance)', () => {
  it('let maxRequests in, whoever calls', () => {
    const settings = { 'inbound.maxRequests': 3 };
    const model = oneRegion(
      [service('a', LONG, { instances: 2, workers: 9, settings, change: { behindInbound: true } })],
      4,
    );
    const run = new Run(runOf(model, 100, { durationMs: 5000 }));
    const { refused, offered } = run.finish().totals.services[0]!;
    expect(run.world.instances.map(({ inside }) => inside)).toEqual([3, 3]);
    expect(refused.inbound).toBe(offered - 6);
  });

  it('lets only so many repeats in a second', () => {
    const change = { behindInbound: true, retryOn: ['failure' as const] };
    const settings = { 'inbound.retryRps': 5, 'retry.maxPerRequest': 1, 'retry.minConcurrency': 1000 };
    const model = oneRegion([service('a', SHORT, { instances: 1, workers: 100, settings, change }, { errorShare: 1 })]);
    const { retries, refused } = simulate(runOf(model, 200, { durationMs: 20_000 })).totals.services[0]!;
    // Full at first: 5, then 5 a second.
    expect(retries - refused.inboundRetry).toBeGreaterThanOrEqual(102);
    expect(retries - refused.inboundRetry).toBeLessThanOrEqual(105);
  });
});

describe('timeouts', () => {
  it('end a request for its caller, and the instance works on', () => {
    const model = oneRegion([
      service('a', { kind: 'constant', meanMs: 100 }, { settings: { 'timeout.requestMs': 50 } }),
    ]);
    const run = new Run(runOf(model, 5));
    const { services } = run.finish().totals;
    expect(services[0]!.timedOut + services[0]!.inFlight).toBe(services[0]!.offered);
    expect(Math.abs((services[0]!.utilisation ?? 0) - 0.5)).toBeLessThan(0.1);
    expect(run.world.instances[0]!.succeeded).toBe(0);
  });

  it('waste no worker on what waits in vain where the service notices', () => {
    const time: ServiceTime = { kind: 'constant', meanMs: 10 };
    const settings = { 'timeout.requestMs': 100 };
    const overloaded = (dropsAbandoned: boolean): ServiceResult => {
      const model = oneRegion([service('a', time, { settings }, { dropsAbandoned })]);
      return simulate(runOf(model, 200, { durationMs: 20_000 })).totals.services[0]!;
    };
    expect(overloaded(false).succeeded).toBeLessThan(100);
    // First come, first served: what is begun has waited for almost all its time, and most of it still comes too late.
    expect(overloaded(true).succeeded).toBeGreaterThan(300);
  });

  it('of one attempt are followed by another where the proxy repeats those', () => {
    const change = { perTryTimeoutMs: 30, retryOn: ['perTry' as const] };
    const settings = { 'timeout.requestMs': 1000, 'retry.maxPerRequest': 2, 'retry.minConcurrency': 1000 };
    const { retries, timedOut, latency } = one(
      { kind: 'hyperexponential', meanMs: 20, cv: 3 },
      { instances: 40, workers: 4, settings, change },
      200,
    );
    expect(retries).toBeGreaterThan(100);
    expect(timedOut).toBeLessThan(retries / 4);
    expect(latency.p99Ms).toBeLessThan(3 * 30 + 2 * 50);
  });
});

describe('retries', () => {
  it('stay within the budget, at every moment of any load', () => {
    const arbitrary = fc.record({
      percent: fc.integer({ min: 0, max: 100 }),
      least: fc.integer({ min: 0, max: 5 }),
      rps: fc.integer({ min: 50, max: 500 }),
      tries: fc.integer({ min: 1, max: 4 }),
      seed: fc.nat(),
    });
    fc.assert(
      fc.property(arbitrary, ({ percent, least, rps, tries, seed }) => {
        const settings = {
          'retry.maxPerRequest': tries,
          'retry.budgetPercent': percent,
          'retry.minConcurrency': least,
        };
        const change = { retryOn: ['failure' as const] };
        const a = service(
          'a',
          { kind: 'exponential', meanMs: 20 },
          { instances: 3, workers: 9, settings, change },
          { errorShare: 0.6 },
        );
        let most = 0;
        let budget = 0;
        const run: Run = new Run({
          ...runOf(oneRegion([a]), rps, { durationMs: 2000, seed }),
          control: {
            intervalMs: 1,
            onTick: () => {
              const view = run.world.views[0]!;
              most = Math.max(most, view.retries);
              budget = Math.max(budget, least, (percent / 100) * (view.requests + view.pending + 1));
              return [];
            },
          },
        });
        const { services } = run.finish().totals;
        // In flight now is less than it was when the retry was let through: its most is the bound.
        expect(most).toBeLessThanOrEqual(Math.max(least, Math.ceil(budget * 2)));
        expect(services[0]!.retries).toBeLessThanOrEqual(tries * services[0]!.offered);
        if (least === 0 && percent === 0) expect(services[0]!.retries).toBe(0);
      }),
      { numRuns: 25 },
    );
  });

  it('go to another host, and repeat only what they are told to', () => {
    const zones = ['a'];
    const settings = { 'retry.maxPerRequest': 1, 'retry.minConcurrency': 1000 };
    const fault = { kind: 'failing' as const, service: 'a', instance: 0, errorShare: 1, fromMs: 0 };
    const run = (retryOn: readonly ('failure' | 'connect')[]): ServiceResult =>
      one(SHORT, { instances: 2, workers: 50, zones, settings, change: { retryOn } }, 200, { faults: [fault] });
    expect(run(['connect']).retries).toBe(0);
    expect(run(['connect']).failed).toBeGreaterThan(500);
    expect(run(['failure']).failed).toBe(0);
  });

  it('never repeat what a breaker refused', () => {
    const settings = { 'retry.maxPerRequest': 3, 'retry.minConcurrency': 1000, 'breaker.maxRequests': 1 };
    const change = { retryOn: ['failure', 'connect', 'overload', 'perTry'] as const };
    const { retries, refused } = one(SHORT, { settings, change }, 500);
    expect(refused.breaker).toBeGreaterThan(1000);
    expect(retries).toBe(0);
  });
});

describe('connections', () => {
  it('take a round trip to make, and are used again', () => {
    const model = {
      ...oneRegion([{ ...service('a', SHORT, {}), places: { here: place('here', { workers: 100 }) } }]),
      regions: [{ name: 'here', proxies: 1, networkMs: 5 }],
    };
    // 10 ms of work, 10 of the way; 10 more for the first on a connection.
    const idle = simulate(runOf(model, 1, { durationMs: 200_000 })).totals.services[0]!.latency;
    expect(Math.abs(idle.p50Ms! - 20)).toBeLessThan(0.2);
    expect(Math.abs(idle.p99Ms! - 30)).toBeLessThan(0.2);
  });
});
