import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { Run } from './engine/run.js';
import { place, service } from './fixtures.js';
import type { TwinFault, TwinModel, TwinPlace, TwinRun } from './model.js';
import type { Counts } from './result.js';
import { simulate } from './simulate.js';
import { LB_POLICIES } from '../spec/settings.js';

const MOST_MS = 4000;

const settings = fc.record({
  'lb.policy': fc.constantFrom(...LB_POLICIES),
  'lb.slowStartMs': fc.constantFrom(0, 1000),
  'rateLimit.rps': fc.integer({ min: 5, max: 300 }),
  'rateLimit.burst': fc.integer({ min: 1, max: 50 }),
  'rateLimit.enforcedPercent': fc.constantFrom(0, 50, 100),
  'breaker.maxRequests': fc.integer({ min: 1, max: 40 }),
  'breaker.maxConnections': fc.integer({ min: 1, max: 40 }),
  'breaker.maxPendingRequests': fc.integer({ min: 1, max: 20 }),
  'inbound.maxRequests': fc.integer({ min: 1, max: 20 }),
  'inbound.retryRps': fc.integer({ min: 1, max: 20 }),
  'retry.maxPerRequest': fc.integer({ min: 0, max: 3 }),
  'timeout.requestMs': fc.integer({ min: 5, max: 200 }),
  'timeout.connectMs': fc.integer({ min: 1, max: 50 }),
  'outlier.consecutive5xx': fc.integer({ min: 1, max: 5 }),
  'outlier.baseEjectionMs': fc.constantFrom(100, 1000),
  'outlier.maxEjectionPercent': fc.constantFrom(0, 50, 100),
  'health.intervalMs': fc.constantFrom(100, 500),
});

const placeIn = (region: string, other: string): fc.Arbitrary<TwinPlace> =>
  fc
    .record({
      instances: fc.integer({ min: 1, max: 4 }),
      workers: fc.integer({ min: 1, max: 3 }),
      queue: fc.integer({ min: 0, max: 20 }),
      zones: fc.constantFrom(['a'], ['a', 'b']),
      settings,
      weight: fc.constantFrom(100, 100, 60, 0),
      behindInbound: fc.boolean(),
      multiplexed: fc.boolean(),
      perTryTimeoutMs: fc.constantFrom(0, 20),
    })
    .map(({ weight, behindInbound, multiplexed, perTryTimeoutMs, ...sketch }) =>
      place(region, {
        ...sketch,
        startupMs: 300,
        change: {
          weights: region === 'here' ? { here: weight, there: 100 - weight } : { there: 100 },
          failover: [other],
          behindInbound,
          multiplexed,
          perTryTimeoutMs,
          retryOn: ['connect', 'failure', 'overload', 'perTry'],
          maxInstances: 5,
        },
      }),
    );

const NAMES = ['a', 'b', 'c'];

const model: fc.Arbitrary<TwinModel> = fc
  .record({
    places: fc.array(fc.tuple(placeIn('here', 'there'), placeIn('there', 'here')), { minLength: 3, maxLength: 3 }),
    calls: fc.tuple(fc.double({ min: 0, max: 2, noNaN: true }), fc.double({ min: 0, max: 2, noNaN: true })),
    oneWayMs: fc.constantFrom(0, 3),
    localMs: fc.constantFrom(0, 0.5),
    holdsWorker: fc.boolean(),
    dropsAbandoned: fc.boolean(),
    errorShare: fc.constantFrom(0, 0.2),
  })
  .map(({ places, calls, oneWayMs, localMs, holdsWorker, dropsAbandoned, errorShare }) => ({
    regions: [
      { name: 'here', proxies: 2, networkMs: localMs },
      { name: 'there', proxies: 1 },
    ],
    network: [{ between: ['here', 'there'], oneWayMs, jitterMs: 1 }],
    services: places.map(([here, there], i) => ({
      ...service(NAMES[i]!, { kind: 'lognormal', meanMs: 8, cv: 1 }, {}),
      stages: NAMES.slice(i + 1).map((callee, n) => [{ service: callee, callsPerRequest: calls[n]! }]),
      places: { here, there },
      holdsWorker,
      dropsAbandoned,
      errorShare: i === 2 ? errorShare : 0,
    })),
    entries: [{ name: 'users', service: 'a', deadlineMs: 50, value: 1 }],
  }));

const fault: fc.Arbitrary<TwinFault> = fc
  .record({
    service: fc.constantFrom(...NAMES),
    how: fc.constantFrom('refuses' as const, 'silent' as const),
    region: fc.constantFrom('here', 'there'),
    from: fc.integer({ min: 0, max: 2000 }),
    last: fc.integer({ min: 10, max: 1500 }),
    kind: fc.constantFrom('instanceDown' as const, 'zoneLost' as const, 'coldStart' as const, 'network' as const),
  })
  .map(({ kind, from, last, how, region, service: name }): TwinFault => {
    const time = { fromMs: from, untilMs: from + last };
    if (kind === 'zoneLost') return { kind, zone: 'a', region, how, ...time };
    if (kind === 'network') return { kind, between: ['here', 'there'], addMs: 20, ...time };
    if (kind === 'coldStart') return { kind, service: name, region, instances: [0], atMs: from };
    return { kind, service: name, region, instance: 0, how, ...time };
  });

const run: fc.Arbitrary<TwinRun> = fc
  .record({ model, faults: fc.array(fault, { maxLength: 3 }), rps: fc.integer({ min: 20, max: 400 }), seed: fc.nat() })
  .map(({ model: of, faults, rps, seed }) => ({
    model: of,
    faults,
    seed,
    durationMs: MOST_MS,
    demand: {
      entries: [
        {
          entry: 'users',
          shape: 'step',
          points: [
            { atMs: 0, rps },
            { atMs: 2000, rps: 0 },
          ],
        },
      ],
    },
  }));

function ended(counts: Counts): number {
  const { retryBudget: _, ...refused } = counts.refused;
  const all = Object.values(refused).reduce((sum, one) => sum + one, 0);
  return counts.succeeded + counts.failed + counts.timedOut + all;
}

describe('conservation', () => {
  it('accounts for every request, and leaves nothing behind when no more come', () => {
    fc.assert(
      fc.property(run, (one) => {
        const going = new Run(one);
        const result = going.finish();
        for (const counts of [...result.totals.entries, ...result.totals.services]) {
          expect(ended(counts) + counts.inFlight).toBe(counts.offered);
          expect(counts.inFlight).toBe(0);
        }
        const { calls, attempts, views, instances } = going.world;
        expect({ calls: calls.alive, attempts: attempts.alive }).toEqual({ calls: 0, attempts: 0 });
        for (const { requests, pending, retries, active, inFlight, connections, idle } of views) {
          expect({ requests, pending, retries, inFlight }).toEqual({
            requests: 0,
            pending: 0,
            retries: 0,
            inFlight: 0,
          });
          expect(active.every((count) => count === 0)).toBe(true);
          const kept = idle.reduce((sum, count) => sum + count, 0);
          expect(connections).toBeGreaterThanOrEqual(kept);
        }
        for (const { busy, queued, inside } of instances)
          expect({ busy, queued, inside }).toEqual({ busy: 0, queued: 0, inside: 0 });
      }),
      { numRuns: 40 },
    );
  });

  it('gives the same bytes for the same run', () => {
    fc.assert(
      fc.property(run, (one) => expect(JSON.stringify(simulate(one))).toBe(JSON.stringify(simulate(one)))),
      { numRuns: 8 },
    );
  });
});
