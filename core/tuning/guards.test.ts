import { describe, expect, it } from '@jest/globals';
import { observation, seen, serviceContext, servicePlan, tuningContext } from './fixtures.js';
import * as guards from './guards.js';
import type { Change, TuningContext } from './types.js';

const raise: Change = { service: 'shop', field: 'rateLimit.rps', from: 100, to: 105 };
const lower: Change = { ...raise, to: 95 };
const quiet = tuningContext();
const withService = (change: Parameters<typeof serviceContext>[1]): TuningContext =>
  tuningContext({ services: [serviceContext('shop', change)] });
const refused = { ok: false };

describe('guards that refuse', () => {
  it.each([
    ['frozen', guards.frozenGuard, tuningContext({ frozen: true })],
    ['evidence: partial', guards.evidenceGuard, tuningContext({ observation: observation([seen('shop')], 0.99) })],
    [
      'evidence: stale',
      guards.evidenceGuard,
      tuningContext({ observation: { ...observation([seen('shop')]), ageSeconds: 31 } }),
    ],
    [
      'evidence: contradicted',
      guards.evidenceGuard,
      tuningContext({
        observation: {
          ...observation([seen('shop')]),
          contradictions: [{ service: 'shop', quantity: 'rps', proxies: 50, other: 10, reason: 'apart' }],
        },
      }),
    ],
    [
      'evidence: p99 missing',
      guards.evidenceGuard,
      tuningContext({ observation: observation([seen('shop', { p99Ms: null, p99ErrorMs: null })]) }),
    ],
    [
      'evidence: ready instances missing',
      guards.evidenceGuard,
      tuningContext({ observation: observation([seen('shop', { readyInstances: null })]) }),
    ],
    ['traffic', guards.trafficGuard, tuningContext({ observation: observation([seen('shop', { requests: 49 })]) })],
    ['traffic', guards.trafficGuard, tuningContext({ observation: observation([]) })],
    [
      'override',
      guards.overrideGuard,
      tuningContext({ overrides: [{ address: 'shop.rateLimit.rps', value: 1, who: 'ann', why: 'x' }] }),
    ],
    ['trust', guards.trustGuard, withService({ trust: 'none' })],
    ['bounds', guards.boundsGuard, withService({ plan: servicePlan('shop', {}) })],
    [
      'bounds',
      guards.boundsGuard,
      withService({ plan: servicePlan('shop', { 'rateLimit.rps': { min: 120, max: 200 } }) }),
    ],
    [
      'inFlight',
      guards.inFlightGuard,
      tuningContext({
        inFlight: {
          adjustment: { address: 'a.rateLimit.rps', from: 1, to: 2, reason: '', planHash: '', madeAt: '' },
          service: 'a',
          baseline: seen('a'),
          inconclusiveTicks: 0,
        },
      }),
    ],
  ])('%s', (_, guard, context) => {
    expect(guard(raise, context)).toMatchObject(refused);
    expect(guard(raise, quiet)).toEqual({ ok: true, to: 105 });
  });

  it('trust low, or no forecast: raise, never lower', () => {
    for (const change of [{ trust: 'low' } as const, { forecast: null }]) {
      expect(guards.trustGuard(raise, withService(change))).toEqual({ ok: true, to: 105 });
      expect(guards.trustGuard(lower, withService(change))).toMatchObject(refused);
    }
    expect(guards.trustGuard(lower, withService({ trust: 'fair' }))).toEqual({ ok: true, to: 95 });
  });
});

describe('guards that shorten', () => {
  it('step', () => {
    expect(guards.stepGuard({ ...raise, to: 300 }, quiet)).toEqual({ ok: true, to: 110 });
    expect(guards.stepGuard({ ...raise, to: 1 }, quiet)).toEqual({ ok: true, to: 90 });
  });

  it('bounds', () => {
    const context = withService({ plan: servicePlan('shop', { 'rateLimit.rps': { min: 98, max: 102 } }) });
    expect(guards.boundsGuard(raise, context)).toEqual({ ok: true, to: 102 });
    expect(guards.boundsGuard(lower, context)).toEqual({ ok: true, to: 98 });
  });

  it("Little's law holds the concurrency that demand needs: 50 rps × 20 ms = 1", () => {
    const change: Change = { service: 'shop', field: 'breaker.maxRequests', from: 4, to: 0.5 };
    expect(guards.littlesLawGuard(change, quiet)).toEqual({ ok: true, to: 1 });
    expect(guards.littlesLawGuard({ ...change, from: 1 }, quiet)).toMatchObject(refused);
    const forecast = { p50: 200, p80: 200, p90: 200, p95: 200, p99: 200 };
    expect(guards.littlesLawGuard({ ...change, from: 5 }, withService({ forecast }))).toEqual({ ok: true, to: 4 });
  });

  it("Little's law holds the rate that keeps ready slots busy: 16 slots / 0.2 s = 80 rps over the proxies", () => {
    expect(guards.littlesLawGuard({ ...lower, to: 10 }, quiet)).toEqual({ ok: true, to: 80 });
    expect(guards.littlesLawGuard({ ...lower, to: 10 }, { ...quiet, proxies: 2 })).toEqual({ ok: true, to: 40 });
  });

  it('forecast: a rate is not lowered below the demand that is forecast', () => {
    expect(guards.forecastFloorGuard({ ...lower, to: 10 }, quiet)).toEqual({ ok: true, to: 50 });
    expect(guards.forecastFloorGuard({ ...lower, from: 50, to: 40 }, quiet)).toMatchObject(refused);
    expect(guards.forecastFloorGuard(lower, withService({ forecast: null }))).toMatchObject(refused);
  });

  it('rounding goes towards the present value', () => {
    const count: Change = { service: 'shop', field: 'breaker.maxRequests', from: 10, to: 10.9 };
    expect(guards.roundingGuard(count)).toEqual({ ok: true, to: 10 });
    expect(guards.roundingGuard({ ...count, to: 8.1 })).toEqual({ ok: true, to: 9 });
    expect(guards.roundingGuard({ ...raise, to: 103.456 })).toEqual({ ok: true, to: 103.45 });
  });
});

describe('guard', () => {
  it('names the first guard that leaves no room', () => {
    const small: Change = { service: 'shop', field: 'breaker.maxRequests', from: 5, to: 6 };
    expect(guards.guard(small, quiet)).toMatchObject({ ok: false, guard: 'rounding' });
    expect(guards.guard(raise, { ...quiet, frozen: true })).toMatchObject({ ok: false, guard: 'frozen' });
    expect(guards.guard(raise, quiet)).toEqual({ ok: true, change: raise });
  });
});
