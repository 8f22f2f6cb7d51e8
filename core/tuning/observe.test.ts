import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { counters, observation, seen as seenService, snapshot } from './fixtures.js';
import { observe } from './observe.js';
import { withForecast } from './observeForecast.js';
import { bucketDelta, mergeBuckets, quantileOfBuckets } from './quantile.js';
import type { LatencyBucket } from './quantile.js';

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

describe('what two readings cannot tell', () => {
  const rules = { maxWindowSeconds: 30, maxAgeSeconds: 30, planHash: 'p1' };
  const busy = { shop: counters({ offered: 100, responses2xx: 100 }) };
  const none = { shop: counters() };
  const at = Date.parse(AT);
  const before = snapshot('a', at - 10_000, none);
  const after = snapshot('a', at, busy);

  it.each([
    ['a window that is too long', { ...before, at: at - 30_001 }, after, 'no baseline'],
    ['a clock that went back', { ...before, at: at + 500 }, after, 'the clock went back by 0.5 s'],
    ['a reading from the future', before, { ...after, at: at + 60_000 }, 'ahead of now'],
    [
      'a reading that is too old',
      { ...before, at: at - 50_000 },
      { ...after, at: at - 31_000 },
      '31 s old, 30 s at most',
    ],
    ['a reading of another plan', { ...before, planHash: 'p0' }, after, 'of another plan'],
    ['a restart within the window', before, { ...after, uptimeSeconds: 3 }, 'restarted 3 s before'],
    ['a reading without a time', before, { ...after, at: Number.NaN }, 'without a time'],
    [
      'a counter that is no number',
      before,
      { ...after, services: { shop: counters({ offered: Number.NaN }) } },
      'not all numbers',
    ],
    [
      'a bucket that is no number',
      before,
      { ...after, services: { shop: counters({ latencyBuckets: [{ lowMs: 1, highMs: 2, count: Number.NaN }] }) } },
      'not all numbers',
    ],
  ])('%s', (_, one, other, why) => {
    const { completeness, services, problems } = observe('here', ['a'], [one], [other], AT, rules);
    expect({ completeness, services }).toEqual({ completeness: 0, services: [] });
    expect(problems).toEqual([expect.stringContaining(why)]);
  });

  it('tells what they can: the same plan, or none said, a proxy that has run for long, a window just short enough', () => {
    for (const more of [{}, { planHash: 'p1' }]) {
      const long = { ...before, at: at - 30_000, ...more };
      const seen = observe('here', ['a'], [long], [{ ...after, uptimeSeconds: 29.5 }], AT, rules);
      expect(seen).toMatchObject({ completeness: 1, problems: [], ageSeconds: 0, maxAgeSeconds: 30, proxies: 1 });
    }
  });

  it('says how old and how complete each service is, and who sees how many ready', () => {
    const unknown = counters({ healthyByRegion: {} });
    const two = [
      snapshot('a', at - 2_000, { shop: counters({ healthyByRegion: { here: 3 } }), pay: unknown }),
      snapshot('b', at - 1_000, { shop: counters({ healthyByRegion: { here: 2 }, healthyUnplanned: 2 }) }),
    ];
    const earlier = two.map((s) => ({ ...s, at: s.at - 10_000 }));
    const { services, ageSeconds } = observe('here', ['a', 'b', 'c'], earlier, two, AT, rules);
    expect(ageSeconds).toBe(2);
    expect(services).toMatchObject([
      { service: 'pay', completeness: 1 / 3, ageSeconds: 2, readyInstances: null, readyInstancesMost: null },
      { service: 'shop', completeness: 2 / 3, ageSeconds: 2, readyInstances: 3, readyInstancesMost: 4 },
    ]);
  });
});

describe('withForecast', () => {
  it('puts what came against what was forecast', () => {
    const seen = observation([seenService('shop', { rps: 75 }), seenService('pay')]);
    const demand = { p50: 50, p80: 60, p90: 65, p95: 70, p99: 80 };
    const [shop, pay] = withForecast(seen, new Map([['shop', demand]])).services;
    expect(shop?.forecast).toEqual({ p50Rps: 50, p95Rps: 70, relativeError: 0.5, aboveP95: true });
    expect(pay?.forecast).toBeNull();
  });
});

/** Log-linear, as Envoy's: two digits, so that a bucket is at most a tenth of its lower bound wide. */
function bucketOf(ms: number): { lowMs: number; highMs: number } {
  const width = ms < 10 ? 0.1 : ms < 100 ? 1 : 10;
  const lowMs = Number((Math.floor(ms / width + 1e-9) * width).toFixed(6));
  return { lowMs, highMs: Number((lowMs + width).toFixed(6)) };
}

describe('quantiles of histograms that several proxies keep', () => {
  const latency = fc.integer({ min: 10, max: 9999 }).map((tenths) => tenths / 10);

  it('are those of all requests together, within the width of the bucket that is said', () => {
    const requests = fc.array(fc.tuple(latency, fc.nat(4), fc.boolean()), { minLength: 1, maxLength: 300 });
    fc.assert(
      fc.property(requests, fc.integer({ min: 1, max: 5 }), (all, proxies) => {
        const hosts = Array.from({ length: proxies }, (_, i) => `edge-${i}`);
        const reading = (
          host: number,
          at: number,
          counted: (late: boolean) => boolean,
        ): ReturnType<typeof snapshot> => {
          const mine = all.filter(([, to, late]) => to % proxies === host && counted(late));
          const counts = new Map<number, number>();
          for (const [ms] of mine) counts.set(bucketOf(ms).lowMs, (counts.get(bucketOf(ms).lowMs) ?? 0) + 1);
          const latencyBuckets = [...counts].map(([low, count]) => ({ ...bucketOf(low), count }));
          return snapshot(`edge-${host}`, at, { shop: counters({ latencyBuckets }) });
        };
        const first = hosts.map((_, i) => reading(i, 0, (late) => !late));
        const second = hosts.map((_, i) => reading(i, 10_000, () => true));
        const [seen] = observe('here', hosts, first, second, AT).services;
        const window = all.flatMap(([ms, , late]) => (late ? ms : [])).sort((a, b) => a - b);
        for (const [q, value, error] of [
          [0.5, seen?.p50Ms, seen?.p50ErrorMs],
          [0.9, seen?.p90Ms, seen?.p90ErrorMs],
          [0.99, seen?.p99Ms, seen?.p99ErrorMs],
        ] as const) {
          const exact = window[Math.ceil(q * window.length - 1e-9) - 1];
          if (exact === undefined) expect([value, error]).toEqual([null, null]);
          else expect(Math.abs((value ?? Infinity) - exact)).toBeLessThanOrEqual((error ?? 0) + 1e-9);
        }
      }),
    );
  });

  it('of an open bucket are a lower bound without an error', () => {
    const open = { shop: counters({ offered: 3, latencyBuckets: [{ lowMs: 5, highMs: Infinity, count: 3 }] }) };
    const [seen] = observe(
      'here',
      ['a'],
      [snapshot('a', 0, { shop: counters() })],
      [snapshot('a', 1000, open)],
      AT,
    ).services;
    expect(seen).toMatchObject({ p50Ms: 5, p50ErrorMs: null, p99Ms: 5, p99ErrorMs: null });
  });

  it('are none when a proxy lost a bucket, whatever the order in which buckets come', () => {
    const [a, b, c] = [1, 2, 3].map((lowMs) => ({ lowMs, highMs: lowMs + 1, count: lowMs })) as [
      LatencyBucket,
      LatencyBucket,
      LatencyBucket,
    ];
    for (const lost of [[], [a], [a, b], [b, c], [a, { ...b, count: 1 }, c]])
      expect(bucketDelta([c, a, b], lost)).toBeNull();
    expect(bucketDelta([b, a], [c, b, { ...a, count: 5 }])).toEqual([{ ...a, count: 4 }, c]);
    expect(bucketDelta([{ ...b, count: 0 }], [a])).toEqual([a]);
    expect(
      mergeBuckets([
        [c, a],
        [b, a],
      ]),
    ).toEqual([{ ...a, count: 2 }, b, c]);
  });
});

describe('quantileOfBuckets', () => {
  it('takes the nearest rank, also where a product of shares is a hair too large', () => {
    const buckets = Array.from({ length: 100 }, (_, i) => ({ lowMs: i, highMs: i + 1, count: 1 }));
    expect(quantileOfBuckets(buckets, 0.07)?.valueMs).toBeCloseTo(7, 9);
  });

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
