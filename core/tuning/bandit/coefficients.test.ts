import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { letIn, limitsFor } from '../../plan/limits.js';
import type { ServiceSpec } from '../../spec/region.js';
import {
  FAMILIES,
  PLANNED,
  factorOf,
  moved,
  neighbours,
  replanned,
  routedInstanceRps,
  settingsFor,
} from './coefficients.js';
import type { Coefficients, PlannedService } from './coefficients.js';

const criticality = fc.constantFrom('critical' as const, 'normal' as const, 'sheddable' as const);

const planned: PlannedService = {
  criticality: 'normal',
  settings: {
    'rateLimit.rps': 100,
    'rateLimit.burst': 60,
    'inbound.maxRequests': 20,
    'breaker.maxRequests': 40,
    'breaker.maxPendingRequests': 40,
    'breaker.maxConnections': 80,
  },
  bounds: { 'rateLimit.rps': { min: 90, max: 130 }, 'breaker.maxRequests': { min: 25, max: 60 } },
  workersPerInstance: 8,
  behindInbound: false,
};

describe('the ladders', () => {
  it('rise from rung to rung, with the plan at 1, and end', () => {
    for (const family of FAMILIES) {
      for (const kind of ['critical', 'normal', 'sheddable'] as const) {
        const rungs = Array.from({ length: 21 }, (_, i) => factorOf(family, kind, i - 10));
        const known = rungs.filter((one): one is number => one !== null);
        expect(known).toEqual([...new Set(known)].sort((a, b) => a - b));
        expect(factorOf(family, kind, 0)).toBe(1);
        expect(rungs[0]).toBeNull();
        expect(rungs[20]).toBeNull();
      }
    }
  });

  it('only neighbours are moved to: one rung in one coefficient', () => {
    fc.assert(
      fc.property(criticality, fc.array(fc.nat(5), { maxLength: 20 }), (kind, walk) => {
        let at: Coefficients = PLANNED;
        for (const step of walk) {
          const moves = neighbours(at, kind);
          const move = moves[step % moves.length]!;
          const next = moved(at, kind, move)!;
          const distance = FAMILIES.map((family) => Math.abs(next[family] - at[family]));
          expect(distance.reduce((a, b) => a + b, 0)).toBe(1);
          for (const family of FAMILIES) expect(factorOf(family, kind, next[family])).not.toBeNull();
          at = next;
        }
      }),
    );
    expect(moved({ ...PLANNED, spill: 2 }, 'normal', { family: 'spill', direction: 1 })).toBeNull();
  });
});

describe('settingsFor', () => {
  it('is the plan where nothing was moved', () => {
    expect(settingsFor(planned, PLANNED)).toEqual(planned.settings);
    expect(settingsFor({ ...planned, behindInbound: true }, PLANNED)).toEqual(planned.settings);
  });

  it('stays within the bounds of the plan, and pending and connections follow', () => {
    const low = settingsFor(planned, { limitMargin: -4, concurrency: -5, spill: 0 });
    expect(low).toMatchObject({ 'rateLimit.rps': 90, 'rateLimit.burst': 45 });
    expect(low).toMatchObject({
      'breaker.maxRequests': 25,
      'breaker.maxPendingRequests': 25,
      'breaker.maxConnections': 50,
    });
    const high = settingsFor(planned, { limitMargin: 3, concurrency: 3, spill: 0 });
    expect(high).toMatchObject({ 'rateLimit.rps': 130, 'breaker.maxRequests': 60 });
  });

  it('behind inbound proxies it moves the door, never below the workers, and no bulkhead', () => {
    const inbound = { ...planned, behindInbound: true };
    const low = settingsFor(inbound, { ...PLANNED, concurrency: -5 });
    expect(low).toMatchObject({ 'inbound.maxRequests': 8, 'breaker.maxRequests': 40 });
    expect(settingsFor(inbound, { ...PLANNED, concurrency: 2 })['inbound.maxRequests']).toBe(32);
  });

  it('agrees with the planner given the same factor, up to what rounding the planned value moved', () => {
    const kinds = fc.record({ kind: criticality, rung: fc.integer({ min: -3, max: 2 }) });
    const sizes = fc.record({ rps: fc.integer({ min: 20, max: 5000 }), proxies: fc.integer({ min: 1, max: 10 }) });
    fc.assert(
      fc.property(kinds, sizes, ({ kind, rung }, { rps, proxies }) => {
        const service = {
          name: 'shop',
          criticality: kind,
          capacity: { concurrency: 4, serviceTimeMs: 20 },
          slo: { p99Ms: 200, maxErrorRate: 0.01 },
        } as unknown as ServiceSpec;
        const input = {
          ...{ admissibleRps: rps, proxies, service, instances: 5, networkMs: 0, behindInbound: true },
          letIn: letIn({ service, admissibleRps: rps, demandRps: rps }),
        };
        const plain = limitsFor(input);
        const coefficients = { ...PLANNED, limitMargin: rung };
        const own = replanned(input, kind, coefficients);
        const settings = {
          ...planned.settings,
          'rateLimit.rps': plain.rateLimitRps,
          'rateLimit.burst': plain.burst,
        };
        const { bounds: _, ...open } = planned;
        const same = settingsFor({ ...open, criticality: kind, settings }, coefficients);
        expect(Math.abs(same['rateLimit.rps'] - own.rateLimitRps)).toBeLessThanOrEqual(2);
        expect(Math.abs(same['rateLimit.burst'] - own.burst)).toBeLessThanOrEqual(5);
      }),
    );
  });

  it('the spill threshold is what the router reckons an instance with', () => {
    expect(routedInstanceRps(50, 'normal', { ...PLANNED, spill: -2 })).toBe(40);
    expect(routedInstanceRps(50, 'normal', PLANNED)).toBe(50);
  });
});
