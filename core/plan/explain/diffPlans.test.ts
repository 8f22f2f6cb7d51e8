import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import type { MeshPlan, ServicePlan } from '../../spec/plan.js';
import { diffPlans } from './diffPlans.js';
import type { PlanChange } from './fixtures.js';
import { planned, plannedService, plannedWindows } from './fixtures.js';
import { differenceInWords } from './words.js';

const one = (...services: ServicePlan[]): MeshPlan => planned(plannedWindows([services], 4));
const cart = (change: PlanChange = {}): ServicePlan => plannedService('cart', change);
const words = (before: MeshPlan, after: MeshPlan): string[] => diffPlans(before, after).map(differenceInWords);

describe('diffPlans, in words', () => {
  it.each<[string, PlanChange, PlanChange, string]>([
    ['more instances', {}, { instances: 6 }, 'cart: 2 more instances, 4 → 6 (+50 %)'],
    ['one fewer', {}, { instances: 3 }, 'cart: 1 fewer instance, 4 → 3 (−25 %)'],
    [
      'weights',
      {},
      { weights: { north: 70, south: 30 } },
      'cart: 30 % of requests move: north 100 → 70 %, south 0 → 30 %',
    ],
    [
      'a region that is new',
      { weights: { north: 100 } },
      { weights: { north: 90, west: 10 } },
      'cart: 10 % of requests move: north 100 → 90 %, west 0 → 10 %',
    ],
    [
      'a limit raised',
      {},
      { settings: { 'rateLimit.rps': 500 } },
      'cart: rate limit of each proxy raised from 400 rps to 500 rps (+25 %) (cart.rateLimit.rps)',
    ],
    [
      'a limit lowered',
      {},
      { settings: { 'breaker.maxRequests': 79 } },
      'cart: requests in flight from each proxy lowered from 80 to 79 (−1.3 %) (cart.breaker.maxRequests)',
    ],
    [
      'from nothing',
      { settings: { 'lb.slowStartMs': 0 } },
      { settings: { 'lb.slowStartMs': 10_000 } },
      'cart: slow start raised from 0 ms to 10000 ms (cart.lb.slowStartMs)',
    ],
    [
      'a name',
      {},
      { settings: { 'lb.policy': 'MAGLEV' } },
      'cart: load balancing changes from LEAST_REQUEST to MAGLEV (cart.lb.policy)',
    ],
    [
      'enforcement begun',
      { settings: { 'rateLimit.enforcedPercent': 0 } },
      {},
      'cart: rate limit begins to refuse, for 100 % of what is above it (only counted so far) (cart.rateLimit.enforcedPercent)',
    ],
    [
      'enforcement ended',
      {},
      { settings: { 'rateLimit.enforcedPercent': 0 } },
      'cart: rate limit refuses nothing any more and only counts (cart.rateLimit.enforcedPercent)',
    ],
    ['shedding', {}, { admission: 0.8 }, 'cart: sheds 20 % of its requests: lets in 80 % instead of all'],
    ['shedding ended', { admission: 0.8 }, {}, 'cart: lets in all requests again (was 80 %)'],
    [
      'failover',
      { failover: [{ region: 'south', spareRps: 9 }] },
      { failover: [] },
      'cart: fails over to nobody instead of south',
    ],
    [
      'trust',
      {},
      { demand: { quantile: 'p95', rps: 100, trust: 'low' } },
      'cart: trust in the forecast changes from high to low (cart.demand.trust)',
    ],
    [
      'demand',
      {},
      { demand: { quantile: 'p95', rps: 133.333, trust: 'high' } },
      'cart: expected demand raised from 100 rps to 133.3 rps (+33 %) (cart.demand)',
    ],
    ['calls', {}, { calls: { stock: 2 } }, 'cart: calls to stock per request is new: 2 (cart.calls.stock)'],
    [
      'a range that moves alone',
      { bounds: { 'rateLimit.rps': { min: 1, max: 2 } } },
      { bounds: { 'rateLimit.rps': { min: 1, max: 3 } } },
      'cart: range of rate limit of each proxy changes from 1 to 2 to 1 to 3 (cart.bounds.rateLimit.rps)',
    ],
  ])('tells of %s', (_, before, after, told) => {
    expect(words(one(cart(before)), one(cart(after)))).toEqual([told]);
  });

  it('tells of addresses where the count stays', () => {
    const at = (...ports: number[]): ServicePlan =>
      cart({ instances: ports.length, endpoints: ports.map((port) => ({ address: '10.0.0.1', port })) });
    expect(words(one(at(1, 2)), one(at(1, 3)))).toEqual([
      'cart: the same number of instances at other addresses: new 10.0.0.1:3; gone 10.0.0.1:2',
    ]);
    expect(words(one(at(1)), one(at(1, 2)))).toEqual(['cart: 1 more instance, 1 → 2 (+100 %)']);
    expect(words(one(at(1, 2, 3, 4, 5)), one(at(6, 7, 8, 9, 10)))[0]).toContain('10.0.0.1:8 and 2 more; gone');
  });

  it('leaves out what a person would read as the same', () => {
    const reasons = { ...cart(), instances: { value: 4, reason: 'another one', inputs: { demandRps: 101 } } };
    expect(words(one(cart()), one(reasons))).toEqual([]);
    expect(words(one(cart({ perInstanceRps: 30.00001 })), one(cart({ perInstanceRps: 30.00002 })))).toEqual([]);
    expect(words(one(cart({ admission: 1 })), one(cart()))).toEqual([]);
  });

  it('tells the most urgent first, service by service', () => {
    const before = planned(plannedWindows([['a', 'b', 'c', 'd'].map((name) => plannedService(name))]), ['old']);
    const after = planned(
      plannedWindows([
        [
          plannedService('a', { settings: { 'rateLimit.rps': 500 } }),
          plannedService('b', {
            instances: 5,
            weights: { north: 90, south: 10 },
            settings: { 'timeout.requestMs': 900 },
          }),
          plannedService('c', { weights: { north: 50, south: 50 } }),
          plannedService('d', { admission: 0.5 }),
        ],
      ]),
      ['new'],
    );
    expect(diffPlans(before, after).map(({ kind, service, text }) => `${service ?? text} ${kind}`)).toEqual([
      'new warning',
      'old warning',
      'd admission',
      'c weights',
      'b weights',
      'b instances',
      'b setting',
      'a limit',
    ]);
    expect(words(before, after).slice(0, 2)).toEqual(['new warning: new', 'warning gone: old']);
  });

  it('tells of services that come and go', () => {
    expect(words(one(cart()), one(plannedService('stock', { instances: 1 })))).toEqual([
      'cart: is no longer planned for (4 instances)',
      'stock: is planned for anew, with 1 instance',
    ]);
  });

  it('tells of a range only where it moves alone', () => {
    const moved = (rps: number): ServicePlan =>
      cart({ settings: { 'rateLimit.rps': rps }, bounds: { 'rateLimit.rps': { min: rps / 2, max: rps * 2 } } });
    expect(words(one(moved(400)), one(moved(500)))).toHaveLength(1);
  });

  it('tells of what later versions of the plan add, and takes what earlier ones do not have', () => {
    const later = { ...cart(), warmth: { value: 3, reason: 'cold' }, shape: { deep: [1, 2] } };
    expect(words(one(cart()), one(later))).toEqual([
      'cart: warmth is new: 3 (cart.warmth)',
      'cart: shape is new: {"deep":[1,2]} (cart.shape)',
    ]);
    const { bounds: _, weights: __, ...bare } = cart();
    expect(() => diffPlans(one(bare as ServicePlan), one(cart()))).not.toThrow();
  });
});

describe('diffPlans, over time', () => {
  const counts = (list: readonly (number | undefined)[], hours = 1, firstHour = 0): MeshPlan =>
    planned(
      plannedWindows(
        list.map((n) => (n === undefined ? [] : [cart({ instances: n })])),
        hours,
        firstHour,
      ),
    );

  it('finds nothing where windows are cut otherwise but hold the same', () => {
    expect(words(counts([4, 4, 6, 6]), counts([4, 6], 2))).toEqual([
      'windows removed: 2026-01-01 01:00, 2026-01-01 03:00 UTC',
    ]);
    expect(words(counts([4, 6], 2), counts([4, undefined, 6, undefined]))).toEqual([
      'windows added: 2026-01-01 01:00, 2026-01-01 03:00 UTC',
    ]);
  });

  it('tells when a change holds', () => {
    expect(words(counts([4, 4, 4]), counts([4, 6, 4]))).toEqual([
      'cart: 2 more instances, 4 → 6 (+50 %), 2026-01-01 01:00 – 02:00 UTC',
    ]);
    expect(words(counts([4, 4, 4]), counts([4, 6, undefined]))).toEqual([
      'cart: 2 more instances, 4 → 6 (+50 %), 2026-01-01 01:00 – 03:00 UTC',
    ]);
  });

  it('tells the greatest of several', () => {
    expect(words(counts([4, 4, 4, 4]), counts([5, 4, 9, 3]))).toEqual([
      'cart: 5 more instances, 4 → 9 (+125 %), 2026-01-01 02:00 – 03:00 UTC; at 3 times in all, up and down, this is the greatest',
    ]);
  });

  it('compares what both cover, and tells of the rest', () => {
    expect(words(counts([4, 4, 9]), counts([4, 9, 9], 1, 1))).toEqual([
      'covers 2026-01-01 01:00 – 2026-01-01 04:00 UTC instead of 2026-01-01 00:00 – 2026-01-01 03:00 UTC',
    ]);
  });

  it('compares where one follows the other when they share no time', () => {
    expect(words(counts([4, 5]), counts([7, 9], 1, 5))).toEqual([
      'cart: 2 more instances, 5 → 7 (+40 %)',
      'covers 2026-01-01 05:00 – 2026-01-01 07:00 UTC instead of 2026-01-01 00:00 – 2026-01-01 02:00 UTC',
    ]);
  });

  it('is empty of a plan and itself, and turns around when the plans do', () => {
    const list = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(list, list, (a, b) => {
        expect(diffPlans(counts(a), counts(a))).toEqual([]);
        const there = diffPlans(counts(a), counts(b)).find((d) => d.kind === 'instances')?.changes ?? [];
        const back = diffPlans(counts(b), counts(a)).find((d) => d.kind === 'instances')?.changes ?? [];
        const turned = back.map(({ from, to, before, after }) => [from, to, after, before]);
        expect(there.map(({ from, to, before, after }) => [from, to, before, after])).toEqual(turned);
      }),
      { numRuns: 200, seed: 5 },
    );
  });
});
