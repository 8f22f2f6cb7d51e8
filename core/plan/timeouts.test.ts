import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { serviceSpec, shopRegion } from '../../test/fixtures/regionSpec.js';
import { circleNumbers, foldPaths } from './paths.js';
import type { Calls } from './paths.js';
import { requestTimeouts, timeoutSettings } from './timeouts.js';

/** Each service's deepest path of calls below it, counted in services: a service that calls nobody is 1 deep. */
function depths(calls: Calls): Record<string, number> {
  return foldPaths(calls, (_, callees) => 1 + Math.max(0, ...callees));
}

/** s0 calls s1 calls s2 … */
function chain(length: number): Calls {
  const name = (i: number): string => `s${i}`;
  return Object.fromEntries(
    Array.from({ length }, (_, i) => [name(i), i + 1 < length ? { [name(i + 1)]: 1 } : {}] as const),
  );
}

const regionOf = (calls: Calls) =>
  shopRegion({ services: Object.keys(calls).map((name) => serviceSpec({ name })), neighbours: [] });

describe('foldPaths', () => {
  it('counts the deepest path, however long', () => {
    expect(depths({ front: { cart: 1, stock: 2 }, cart: { stock: 1 }, stock: {} })).toEqual({
      front: 3,
      cart: 2,
      stock: 1,
    });
    expect(depths(chain(20_000))['s0']).toBe(20_000);
  });

  it('leaves out calls that are never made, and takes services in that are only called', () => {
    expect(depths({ a: { b: 0 }, b: { c: 1 } })).toEqual({ a: 1, b: 2, c: 1 });
    expect(depths({ constructor: { a: 1 } })).toEqual({ constructor: 2, a: 1 });
  });

  it('gives the same for any order of services and calls, circles or none', () => {
    const edge = fc.tuple(fc.integer({ min: 0, max: 7 }), fc.integer({ min: 0, max: 7 }));
    fc.assert(
      fc.property(
        fc.array(edge, { maxLength: 20 }),
        fc.array(fc.nat(), { minLength: 8, maxLength: 8 }),
        (edges, key) => {
          const build = (order: readonly number[], pairs: readonly (readonly [number, number])[]): Calls => {
            const calls: Record<string, Record<string, number>> = {};
            for (const i of order) calls[`s${i}`] = {};
            for (const [from, to] of pairs) (calls[`s${from}`] ??= {})[`s${to}`] = 1;
            return calls;
          };
          const order = [0, 1, 2, 3, 4, 5, 6, 7];
          const shuffled = [...order].sort((a, b) => (key[a] ?? 0) - (key[b] ?? 0) || a - b);
          const one = build(order, edges);
          const other = build(shuffled, [...edges].reverse());
          expect(depths(other)).toEqual(depths(one));
          const circles = [circleNumbers(one), circleNumbers(other)];
          for (const a of order)
            for (const b of order) {
              const same = circles.map((numbers) => numbers.get(`s${a}`) === numbers.get(`s${b}`));
              expect(same[0]).toBe(same[1]);
            }
        },
      ),
    );
  });

  it('gives all of a circle what the circle calls outside itself', () => {
    const heights = foldPaths({ a: { b: 1 }, b: { a: 1, c: 1 }, c: {} }, (_, below) => 1 + Math.max(0, ...below));
    expect(heights).toEqual({ a: 2, b: 2, c: 1 });
  });
});

describe('requestTimeouts', () => {
  it('lets callers wait longer than callees, by their own time and no power of the depth', () => {
    const calls = chain(60);
    const timeouts = requestTimeouts(regionOf(calls), calls);
    const names = Object.keys(calls);
    names.slice(1).forEach((name, i) => {
      expect(timeouts[names[i] ?? ''] ?? 0).toBeGreaterThanOrEqual((timeouts[name] ?? 0) + 0.2 * 4 * 250);
    });
    expect(timeouts['s59']).toBe(1000);
    expect(timeouts['s0']).toBe(1000 + 59 * 220);
  });

  it('leaves each of two tries twice its SLO, and stays within what a timeout may be', () => {
    const calls: Calls = { s0: {} };
    const region = regionOf(calls);
    const services = [serviceSpec({ name: 's0', idempotent: true, slo: { p99Ms: 250, maxErrorRate: 0.01 } })];
    expect(requestTimeouts({ ...region, services }, calls)).toEqual({ s0: 2 * 2 * 250 });
    const slow = [serviceSpec({ name: 's0', slo: { p99Ms: 2_000_000, maxErrorRate: 0.01 } })];
    const timeouts = requestTimeouts({ ...region, services: slow }, calls);
    expect(timeouts).toEqual({ s0: 3_600_000 });
    const [service] = slow;
    if (service === undefined) throw new Error('no service');
    const settings = timeoutSettings({ region, service, timeouts, calls: {} });
    expect(settings['timeout.connectMs'].value).toBe(250);
  });
});
