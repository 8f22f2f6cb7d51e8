import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import type { MeshPlan, ServicePlan } from '../spec/plan.js';
import { blastRadius } from './blastRadius.js';
import type { PlanChange } from './explain/fixtures.js';
import { planned, plannedService, plannedWindows } from './explain/fixtures.js';

const asking = (rps: number): Pick<ServicePlan, 'demand'> => ({ demand: { quantile: 'p95', rps, trust: 'high' } });
const service = (name: string, rps: number, change: PlanChange = {}): ServicePlan =>
  plannedService(name, { ...asking(rps), ...change });
const plan = (...windows: ServicePlan[][]): MeshPlan => planned(plannedWindows(windows, 4));
const percent = (before: MeshPlan | null, after: MeshPlan, hysteresis = 0): number =>
  blastRadius(before, after, hysteresis).percent;

const BEFORE = plan([service('front', 300), service('cart', 100)]);

describe('blastRadius', () => {
  it('is everything where nothing runs', () => {
    expect(blastRadius(null, BEFORE)).toEqual({
      percent: 100,
      services: [
        { service: 'front', changes: 1, summary: 'is planned for anew, with 4 instances' },
        { service: 'cart', changes: 1, summary: 'is planned for anew, with 4 instances' },
      ],
    });
  });

  it('is nothing for the same plan, whatever its reasons and demand', () => {
    const reworded = plan([
      service('front', 310),
      { ...service('cart', 100), instances: { value: 4, reason: 'otherwise' } },
    ]);
    expect(blastRadius(BEFORE, BEFORE)).toEqual({ percent: 0, services: [] });
    expect(blastRadius(BEFORE, reworded)).toEqual({ percent: 0, services: [] });
  });

  it.each<[string, PlanChange]>([
    ['a setting', { settings: { 'rateLimit.rps': 900 } }],
    ['a weight', { weights: { north: 99, south: 1 } }],
    ['instances', { instances: 5 }],
    ['admission', { admission: 0.9 }],
    ['failover', { failover: [] }],
    ['addresses', { endpoints: [{ address: '10.0.0.1', port: 1 }] }],
  ])('is the share of requests of the services with a change: %s', (_, change) => {
    const found = blastRadius(BEFORE, plan([service('front', 300), service('cart', 100, change)]));
    expect(found.percent).toBe(25);
    expect(found.services).toMatchObject([{ service: 'cart', changes: 1 }]);
  });

  it('tells the most urgent change of a service and counts the rest', () => {
    const change = { instances: 6, weights: { north: 70, south: 30 } };
    expect(blastRadius(BEFORE, plan([service('front', 300, change), service('cart', 100)])).services).toEqual([
      {
        service: 'front',
        changes: 2,
        summary: '30 % of requests move: north 100 → 70 %, south 0 → 30 %; and 1 more',
      },
    ]);
  });

  it('takes numbers within the hysteresis as equal, and weights never', () => {
    const limits = plan([service('front', 300, { settings: { 'rateLimit.rps': 425 } }), service('cart', 100)]);
    const weights = plan([service('front', 300, { weights: { north: 98, south: 2 } }), service('cart', 100)]);
    expect(percent(BEFORE, limits, 0.1)).toBe(0);
    expect(percent(BEFORE, limits, 0.01)).toBe(75);
    expect(percent(BEFORE, weights, 0.1)).toBe(75);
  });

  it('weighs a service by its busiest window and looks at every window', () => {
    const quiet = [service('front', 300), service('cart', 100)];
    const before = plan(quiet, [service('cart', 700, { instances: 8 })]);
    const after = plan(quiet, [service('cart', 700, { instances: 9 })]);
    expect(percent(before, after)).toBe(70);
  });

  it('takes in services that come and go', () => {
    expect(percent(BEFORE, plan([service('front', 300)]))).toBe(25);
    expect(percent(BEFORE, plan([service('front', 300), service('cart', 100), service('new', 400)]))).toBe(50);
  });

  it('holds later windows against what the running plan has at any time', () => {
    const day = [service('front', 300, { instances: 8 }), service('cart', 100)];
    const night = [service('front', 50, { instances: 2 })];
    const before = plan(day, night);
    const rolled = planned(plannedWindows([[...night, service('cart', 100)], day], 4, 4));
    expect(percent(before, rolled)).toBe(0);
    const more = [service('front', 400, { instances: 12 }), service('cart', 100)];
    const found = blastRadius(before, planned(plannedWindows([[...night, service('cart', 100)], more], 4, 4)));
    expect(found).toMatchObject({ percent: 80, services: [{ service: 'front', changes: 1 }] });
    expect(found.services[0]?.summary).toContain('12');
  });

  it('compares plans that share no time by the values that the first has', () => {
    const later = planned(plannedWindows([[service('front', 300, { instances: 7 }), service('cart', 100)]], 4, 40));
    expect(percent(BEFORE, later)).toBe(75);
    expect(percent(BEFORE, planned(plannedWindows([[service('front', 300), service('cart', 100)]], 4, 40)))).toBe(0);
  });

  it('counts services where nobody expects a request', () => {
    const idle = plan([service('a', 0), service('b', 0)]);
    expect(percent(idle, plan([service('a', 0, { instances: 1 }), service('b', 0)]))).toBe(50);
  });

  it('lists no more than twenty, the largest first, and is between 0.1 and 100 wherever anything changes', () => {
    const rates = fc.array(fc.integer({ min: 0, max: 1_000_000 }), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(rates, fc.nat(), (list, pick) => {
        const changed = pick % list.length;
        const before = plan(list.map((rps, i) => service(`s${i}`, rps)));
        const after = plan(list.map((rps, i) => service(`s${i}`, rps, i === changed ? { instances: 9 } : {})));
        const { percent: some, services } = blastRadius(before, after);
        const { percent: all, services: top } = blastRadius(null, after);
        expect(services.map((one) => one.service)).toEqual([`s${changed}`]);
        expect(some).toBeGreaterThanOrEqual(0.1);
        expect(some).toBeLessThanOrEqual(100);
        expect(all).toBe(100);
        expect(top).toHaveLength(Math.min(20, list.length));
        const demands = top.map((one) => list[Number(one.service.slice(1))] ?? -1);
        expect(demands).toEqual([...demands].sort((a, b) => b - a));
      }),
      { numRuns: 40 },
    );
  });
});
