import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { QUIET, observation, seen } from './fixtures.js';
import { judgeStep } from './judge.js';
import { wilsonLowerBound } from './wilson.js';

const criteria = { minRequests: 100, maxErrorRate: 0.01, p99Ms: { shop: 200, pay: 200 } };
const judge = (services: ReturnType<typeof seen>[], completeness = 1): ReturnType<typeof judgeStep> =>
  judgeStep({ observation: observation(services, completeness), criteria, services: ['shop', 'pay'] });
const quietPay = seen('pay', QUIET);
const refused = { upstream5xx: 0, breaker: 0, rateLimited: 400, timeout: 0, connect: 0 };

describe('judgeStep', () => {
  it.each([
    ['good traffic', [seen('shop'), quietPay], 1, 'successful', 'no requests to pay'],
    ['half the proxies', [seen('shop', { errorRate: 1 })], 0.5, 'inconclusive', '50.00 % of the proxies'],
    ['too little traffic', [seen('shop', { requests: 99, errorRate: 1 }), quietPay], 1, 'inconclusive', '99 requests'],
    ['no traffic at all', [seen('shop', QUIET), quietPay], 1, 'inconclusive', '0 requests'],
    ['a service that is missing', [seen('shop')], 1, 'inconclusive', 'pay not observed'],
    [
      'latency that nobody knows',
      [seen('shop', { p99Ms: null, p99ErrorMs: null }), quietPay],
      1,
      'inconclusive',
      'p99 unknown',
    ],
    ['latency in an open bucket', [seen('shop', { p99ErrorMs: null }), quietPay], 1, 'inconclusive', 'open'],
    ['requests that nobody answered', [seen('shop', { errorRate: null }), quietPay], 1, 'inconclusive', 'none of 500'],
    ['many errors', [seen('shop', { errorRate: 0.05 }), quietPay], 1, 'failed', '25 of 500 failed'],
    ['errors of chance', [seen('shop', { requests: 100, errorRate: 0.02 }), quietPay], 1, 'inconclusive', 'chance'],
    ['slow answers', [seen('shop', { p99Ms: 201 }), quietPay], 1, 'failed', 'p99 201 ms over the SLO of 200 ms'],
    ['one bad service of two', [seen('shop'), seen('pay', { errorRate: 0.5 })], 1, 'failed', 'pay'],
    ['another region of the mesh', [seen('shop'), quietPay, seen('other', { errorRate: 1 })], 1, 'successful', 'shop'],
    ['one straggler of few', [seen('shop'), seen('pay', { requests: 20, p99Ms: 300 })], 1, 'inconclusive', 'slowest'],
    ['few, all slow', [seen('shop'), seen('pay', { requests: 20, p50Ms: 250, p99Ms: 300 })], 1, 'failed', 'pay'],
    [
      'refusals of the limit',
      [seen('shop', { errors: refused }), quietPay],
      1,
      'successful',
      '400 requests to shop refused',
    ],
  ])('%s', (_, services, completeness, verdict, words) => {
    const judgement = judge(services, completeness);
    expect(judgement.verdict).toBe(verdict);
    expect(judgement.reason).toContain(words);
  });
});

describe('wilsonLowerBound', () => {
  it('knows textbook values', () => {
    expect(wilsonLowerBound(10, 100)).toBeCloseTo(0.0552, 4);
    expect(wilsonLowerBound(1, 1)).toBeCloseTo(0.2065, 4);
    expect(wilsonLowerBound(0, 50)).toBe(0);
    expect(wilsonLowerBound(0, 0)).toBe(0);
  });

  it('lies below the rate and rises with the evidence', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 500 }), fc.integer({ min: 0, max: 500 }), (n, extra) => {
        const trials = n + extra;
        const bound = wilsonLowerBound(n, trials);
        expect(bound).toBeLessThanOrEqual(n / trials);
        expect(wilsonLowerBound(n * 10, trials * 10)).toBeGreaterThanOrEqual(bound);
      }),
    );
  });
});
