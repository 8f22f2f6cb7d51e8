import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { considerAdjustments, proposeAdjustment } from './aimd.js';
import { observation, seen, serviceContext, servicePlan, tuningContext } from './fixtures.js';
import type { TuningContext } from './types.js';

const errors = { upstream5xx: 0, breaker: 0, rateLimited: 0, timeout: 0, connect: 0 };
const limited = seen('shop', { requests: 500, errors: { ...errors, rateLimited: 60 } });
const overflowing = seen('shop', { requests: 500, errorRate: 0.04, errors: { ...errors, breaker: 20 } });
const slow = seen('shop', { requests: 1000, rps: 180, p99Ms: 400, active: 14 });
const context = (shop: ReturnType<typeof seen>, change: Partial<TuningContext> = {}): TuningContext =>
  tuningContext({ observation: observation([shop]), ...change });

describe('proposeAdjustment', () => {
  it('leaves a healthy region alone', () => {
    expect(proposeAdjustment(tuningContext())).toBeNull();
    expect(considerAdjustments(tuningContext()).refusals[0]?.guard).toBe('nothing-to-do');
  });

  it('raises a rate limit that refuses while capacity idles, by a share of the plan', () => {
    const live = { 'rateLimit.rps': 60, 'breaker.maxRequests': 40 };
    const proposal = proposeAdjustment(context(limited, { services: [serviceContext('shop', { live })] }));
    expect(proposal).toMatchObject({ address: 'shop.rateLimit.rps', direction: 'raise', from: 60, to: 65 });
    expect(proposal?.reason).toContain('refused 60 of 500 requests');
    expect(proposal?.reason).toContain('p99 80 ms, SLO 200 ms');
    expect(proposal?.reason).toContain('from 60 to 65');
  });

  it('raises a concurrency limit whose own refusals are the only errors', () => {
    expect(proposeAdjustment(context(overflowing))).toMatchObject({
      address: 'shop.breaker.maxRequests',
      from: 40,
      to: 42,
    });
  });

  it('raises nothing while the ready instances are busy, or the latency is unknown', () => {
    expect(proposeAdjustment(context({ ...limited, active: 15 }))).toBeNull();
    expect(proposeAdjustment(context({ ...limited, readyInstances: 1 }))).toBeNull();
    expect(proposeAdjustment(context({ ...limited, p99Ms: null }))).toBeNull();
  });

  it('lowers the concurrency limit of a service that is itself the bottleneck', () => {
    const proposal = proposeAdjustment(context(slow));
    expect(proposal).toMatchObject({ address: 'shop.breaker.maxRequests', direction: 'lower', from: 40, to: 36 });
    expect(proposal?.reason).toContain('p99 400 ms, SLO 200 ms');
  });

  it('does not blame a caller for its callee', () => {
    const services = [serviceContext('shop', { callees: ['pay'] }), serviceContext('pay')];
    const both = observation([slow, seen('pay', { ...slow, service: 'pay' })]);
    expect(proposeAdjustment(tuningContext({ services, observation: both }))?.service).toBe('pay');
    const idleCallee = observation([slow, seen('pay', { p99Ms: 400, active: 0, rps: 1, requests: 60 })]);
    expect(proposeAdjustment(tuningContext({ services, observation: idleCallee }))).toBeNull();
  });

  it('raises nothing that would send more to a callee in trouble', () => {
    const services = [serviceContext('shop', { callees: ['pay'] }), serviceContext('pay')];
    const pay = seen('pay', { p99Ms: 400, active: 0, rps: 1, requests: 60 });
    expect(
      proposeAdjustment(tuningContext({ services, observation: observation([limited, seen('pay')]) })),
    ).not.toBeNull();
    expect(proposeAdjustment(tuningContext({ services, observation: observation([limited, pay]) }))).toBeNull();
  });

  it('lowers nothing when slowness is not a matter of load', () => {
    expect(proposeAdjustment(context({ ...slow, active: 1, requests: 100, p50Ms: 20 }))).toBeNull();
  });

  it('relieves an overloaded service before it raises another limit', () => {
    const services = [serviceContext('shop'), serviceContext('pay')];
    const mixed = observation([limited, { ...slow, service: 'pay' }]);
    expect(proposeAdjustment(tuningContext({ services, observation: mixed }))?.service).toBe('pay');
  });

  it('takes the next best when an override holds the address', () => {
    const overrides = [{ address: 'shop.breaker.maxRequests', value: 40, who: 'ann', why: 'incident' }];
    const considered = considerAdjustments(context(slow, { overrides }));
    expect(considered.proposal?.address).toBe('shop.rateLimit.rps');
    expect(considered.refusals[0]).toMatchObject({ guard: 'override', address: 'shop.breaker.maxRequests' });
  });
});

describe('properties', () => {
  const serviceSeen = fc.record({
    requests: fc.integer({ min: 0, max: 5000 }),
    errorRate: fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
    p50Ms: fc.option(fc.integer({ min: 1, max: 300 })),
    p99Ms: fc.option(fc.integer({ min: 1, max: 2000 })),
    active: fc.integer({ min: 0, max: 60 }),
    readyInstances: fc.integer({ min: 0, max: 6 }),
    errors: fc.record({
      upstream5xx: fc.nat(50),
      breaker: fc.nat(50),
      rateLimited: fc.nat(50),
      timeout: fc.nat(5),
      connect: fc.nat(5),
    }),
  });
  const contexts = fc
    .record({
      shop: serviceSeen,
      pay: serviceSeen,
      live: fc.record({
        'rateLimit.rps': fc.integer({ min: 1, max: 300 }),
        'breaker.maxRequests': fc.integer({ min: 1, max: 100 }),
      }),
      trust: fc.constantFrom('high', 'fair', 'low', 'none'),
      p50: fc.option(fc.integer({ min: 0, max: 300 })),
      maxStepFraction: fc.constantFrom(0.02, 0.1, 0.5),
      proxies: fc.integer({ min: 1, max: 3 }),
      min: fc.integer({ min: 1, max: 60 }),
      width: fc.integer({ min: 0, max: 200 }),
    })
    .map((x): TuningContext => {
      const range = { min: x.min, max: x.min + x.width };
      const plan = servicePlan('shop', { 'rateLimit.rps': range, 'breaker.maxRequests': range });
      const forecast = x.p50 === null ? null : { p50: x.p50, p80: x.p50, p90: x.p50, p95: x.p50, p99: x.p50 };
      const shared = { live: x.live, trust: x.trust, forecast };
      return tuningContext({
        observation: observation([seen('shop', x.shop), seen('pay', x.pay)]),
        services: [
          serviceContext('shop', { ...shared, plan, callees: ['pay'] }),
          serviceContext('pay', { ...shared, plan: { ...plan, service: 'pay' } }),
        ],
        proxies: x.proxies,
        operate: {
          tickSeconds: 10,
          maxStepFraction: x.maxStepFraction,
          maxInconclusiveTicks: 3,
          minRequestsPerTick: 50,
        },
      });
    });

  // The second seed once found a floor that pushed a value from above the plan's range out of it again.
  it.each([undefined, -2001811291])(
    'stays inside the plan, one step, above the floors, trust heeded (seed %s)',
    (seed) => {
      let proposals = 0;
      fc.assert(
        fc.property(contexts, (c) => {
          const p = proposeAdjustment(c);
          if (p === null) return;
          proposals += 1;
          const service = c.services.find((s) => s.plan.service === p.service);
          const bounds = service?.plan.bounds[p.field];
          expect(p.to).toBeGreaterThanOrEqual(bounds?.min ?? Infinity);
          expect(p.to).toBeLessThanOrEqual(bounds?.max ?? -Infinity);
          expect(Math.abs(p.to - p.from)).toBeLessThanOrEqual(p.from * c.operate.maxStepFraction + 1e-9);
          expect(p.to).not.toBe(p.from);
          expect(service?.trust).not.toBe('none');
          if (p.direction === 'raise') return;
          expect(service?.trust).not.toBe('low');
          const demandRps = (service?.forecast?.p50 ?? Infinity) / c.proxies;
          const ready = c.observation.services.find((s) => s.service === p.service)?.readyInstances ?? Infinity;
          if (p.field === 'rateLimit.rps') {
            expect(p.to).toBeGreaterThanOrEqual(demandRps - 0.011);
            // Four slots an instance, each held for the SLO of 0.2 s.
            expect(p.to).toBeGreaterThanOrEqual((ready * 4) / 0.2 / c.proxies - 0.011);
          } else {
            expect(p.to).toBeGreaterThanOrEqual(demandRps * 0.02 - 1e-9);
          }
        }),
        seed === undefined ? { numRuns: 2000 } : { numRuns: 2000, seed },
      );
      expect(proposals).toBeGreaterThan(50);
    },
  );

  it('proposes nothing under a freeze, in flight, with a proxy missing, or with little traffic', () => {
    const adjustment = { address: 'shop.rateLimit.rps', from: 1, to: 2, reason: '', planHash: '', madeAt: '' };
    const inFlight = { adjustment, service: 'shop', baseline: seen('shop'), inconclusiveTicks: 0 };
    fc.assert(
      fc.property(contexts, (c) => {
        expect(proposeAdjustment({ ...c, frozen: true })).toBeNull();
        expect(proposeAdjustment({ ...c, inFlight })).toBeNull();
        expect(proposeAdjustment({ ...c, observation: { ...c.observation, completeness: 0.5 } })).toBeNull();
        const quiet = c.observation.services.map((s) => ({ ...s, requests: Math.min(s.requests, 49) }));
        expect(proposeAdjustment({ ...c, observation: { ...c.observation, services: quiet } })).toBeNull();
        const all = c.services.flatMap((s) =>
          ['rateLimit.rps', 'breaker.maxRequests'].map((field) => ({
            address: `${s.plan.service}.${field}`,
            value: 1,
            who: 'ann',
            why: 'incident',
          })),
        );
        expect(proposeAdjustment({ ...c, overrides: all })).toBeNull();
      }),
    );
  });
});
