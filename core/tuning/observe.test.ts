import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { counters, snapshot } from './fixtures.js';
import { observe } from './observe.js';
import { quantileOfBuckets } from './quantile.js';

const AT = '2026-01-01T00:00:10.000Z';

describe('observe', () => {
  it('adds up the differences of all proxies', () => {
    const before = [
      snapshot('a', 0, { shop: counters({ offered: 100, responses2xx: 100, requestsByRegion: { here: 100 } }) }),
      snapshot('b', 0, { shop: counters() }),
    ];
    const after = [
      snapshot('a', 10_000, {
        shop: counters({
          offered: 200,
          responses2xx: 180,
          responses4xx: 15,
          responses5xx: 5,
          rateLimited: 10,
          breakerOverflow: 2,
          timeouts: 1,
          retries: 3,
          active: 4,
          requestsByRegion: { here: 130, there: 60 },
          latencyBuckets: [{ lowMs: 10, highMs: 20, count: 90 }],
        }),
      }),
      snapshot('b', 5_000, {
        shop: counters({
          offered: 50,
          responses2xx: 50,
          active: 1,
          healthyByRegion: { here: 1 },
          requestsByRegion: { here: 10 },
          latencyBuckets: [{ lowMs: 100, highMs: 200, count: 10 }],
        }),
      }),
    ];
    const { completeness, services, problems } = observe('here', ['a', 'b'], before, after, AT);
    expect(completeness).toBe(1);
    expect(problems).toEqual([]);
    expect(services).toHaveLength(1);
    expect(services[0]).toMatchObject({
      service: 'shop',
      windowSeconds: 10,
      requests: 150,
      rps: 20,
      errors: { upstream5xx: 2, breaker: 2, rateLimited: 10, timeout: 1, connect: 0 },
      active: 5,
      retries: 3,
      readyInstances: 1,
      shareByRegion: { here: 0.4, there: 0.6 },
      p99Ms: 190,
    });
    // 80 + 50 answered well, 5 other client errors, 5 failed; the ten refused count nowhere.
    expect(services[0]?.errorRate).toBeCloseTo(5 / 140, 10);
    expect(services[0]?.p50Ms).toBeCloseTo(10 + (10 * 50) / 90, 10);
  });

  it('says null, not zero, where nothing was measured', () => {
    const idle = {
      shop: counters({ offered: 5, responses2xx: 5, latencyBuckets: [{ lowMs: 1, highMs: 2, count: 5 }] }),
    };
    const [service] = observe('here', ['a'], [snapshot('a', 0, idle)], [snapshot('a', 1000, idle)], AT).services;
    expect(service).toMatchObject({ requests: 0, errorRate: null, p50Ms: null, p99Ms: null, shareByRegion: {} });
  });

  it.each([
    ['a host that does not answer', ['a', 'b'], [1000], 0.5],
    ['no host at all', [], [1000], 0],
    ['no time between the readings', ['a'], [0], 0],
  ])('is incomplete with %s', (_, hosts, [at], completeness) => {
    const before = [snapshot('a', 0, { shop: counters() })];
    const result = observe('here', hosts, before, [snapshot('a', at ?? 0, { shop: counters({ offered: 9 }) })], AT);
    expect(result.completeness).toBe(completeness);
    expect(result.services).toHaveLength(completeness > 0 ? 1 : 0);
  });

  it('leaves a proxy out that knows a service in one reading only', () => {
    const after = [snapshot('a', 1000, { shop: counters(), new: counters({ offered: 1000 }) })];
    const result = observe('here', ['a'], [snapshot('a', 0, { shop: counters() })], after, AT);
    expect(result).toMatchObject({ completeness: 0, services: [], problems: ['a: new is in one reading only'] });
  });

  it('names a stranger and leaves it out', () => {
    const before = [snapshot('x', 0, { shop: counters() })];
    const result = observe('here', ['a'], before, [snapshot('x', 1000, { shop: counters({ offered: 10 }) })], AT);
    expect(result.services).toEqual([]);
    expect(result.problems.join()).toContain('x: answered, but is not a host');
  });

  it('is never negative and counts a restarted proxy as incomplete', () => {
    const values = fc.record({
      offered: fc.nat(1000),
      responses2xx: fc.nat(1000),
      responses5xx: fc.nat(1000),
      bucket: fc.nat(1000),
      byRegion: fc.nat(1000),
    });
    fc.assert(
      fc.property(values, values, (x, y) => {
        const reading = (v: typeof x): ReturnType<typeof counters> =>
          counters({
            offered: v.offered,
            responses2xx: v.responses2xx,
            responses5xx: v.responses5xx,
            requestsByRegion: { here: v.byRegion },
            latencyBuckets: [{ lowMs: 0, highMs: 1, count: v.bucket }],
          });
        const result = observe(
          'here',
          ['a'],
          [snapshot('a', 0, { shop: reading(x) })],
          [snapshot('a', 1000, { shop: reading(y) })],
          AT,
        );
        const wentDown = (Object.keys(x) as (keyof typeof x)[]).some((key) => y[key] < x[key]);
        expect(result.completeness).toBe(wentDown ? 0 : 1);
        for (const s of result.services) {
          expect(Math.min(s.requests, s.rps, s.errors.upstream5xx, s.p99Ms ?? 0)).toBeGreaterThanOrEqual(0);
          expect(s.errorRate ?? 0).toBeLessThanOrEqual(1);
        }
      }),
    );
  });
});

describe('quantileOfBuckets', () => {
  it('is never off by more than the width of the bucket', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 999, noNaN: true }), { minLength: 1, maxLength: 200 }),
        fc.constantFrom(0.5, 0.9, 0.99),
        (samples, q) => {
          const width = 10;
          const counts = new Map<number, number>();
          for (const s of samples) counts.set(Math.floor(s / width), (counts.get(Math.floor(s / width)) ?? 0) + 1);
          const buckets = [...counts].map(([i, count]) => ({ lowMs: i * width, highMs: (i + 1) * width, count }));
          const sorted = [...samples].sort((a, b) => a - b);
          const exact = sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? 0;
          const estimate = quantileOfBuckets(buckets, q);
          expect(estimate?.errorMs).toBe(width);
          expect(Math.abs((estimate?.valueMs ?? Infinity) - exact)).toBeLessThanOrEqual(width);
        },
      ),
    );
  });

  it('does not invent a value in an unbounded bucket', () => {
    const buckets = [{ lowMs: 5, highMs: Infinity, count: 3 }];
    expect(quantileOfBuckets(buckets, 0.99)).toEqual({ valueMs: 5, errorMs: Infinity });
    expect(quantileOfBuckets([], 0.99)).toBeNull();
  });
});
