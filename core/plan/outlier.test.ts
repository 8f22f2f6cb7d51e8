import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { serviceSpec, shopRegion } from '../../test/fixtures/regionSpec.js';
import { consecutiveFailures, ejectionPercent } from './outlier.js';

const MONTH_SECONDS = 30 * 86_400;
const region = shopRegion();

describe('consecutiveFailures', () => {
  it.each([
    [0.01, 160, 5],
    [0.01, 0.1, 3],
    [0.001, 160, 3],
    [0, 160, 3],
    [0.1, 160, 9],
    [0.5, 160, 20],
  ])('at error rate %p and %p rps: %p', (errorRate, rps, failures) => {
    expect(consecutiveFailures(errorRate, rps)).toBe(failures);
  });

  it('ejects a sound endpoint less than once a month, and is the fewest that does', () => {
    const rate = fc.double({ min: 0.0001, max: 0.99, noNaN: true });
    fc.assert(
      fc.property(rate, fc.double({ min: 0.01, max: 10_000, noNaN: true }), (errorRate, rps) => {
        const failures = consecutiveFailures(errorRate, rps);
        const runs = (length: number): number => rps * (1 - errorRate) * errorRate ** length * MONTH_SECONDS;
        if (failures < 20) expect(runs(failures)).toBeLessThan(1 + 1e-9);
        if (failures > 3) expect(runs(failures - 1)).toBeGreaterThanOrEqual(1 - 1e-9);
      }),
    );
  });
});

describe('ejectionPercent', () => {
  const percent = (demandRps: number, instances: number, weights: Record<string, number> = { north: 100 }): number =>
    ejectionPercent({
      ...{ region, service: serviceSpec({ name: 'cart' }), demandRps, instances, perInstanceRps: 100, weights },
    });

  it('leaves what the demand needs, where that is at least half', () => {
    // 10 instances and the neighbour's gateway; 7 are needed.
    expect(percent(700, 10)).toBe(20);
    expect(percent(100, 10)).toBe(50);
    // Half of the requests are answered elsewhere.
    expect(percent(1000, 10, { north: 50, south: 50 })).toBe(40);
  });

  it('lets one host be ejected however few there are', () => {
    expect(percent(1000, 10)).toBe(10);
    expect(percent(300, 3)).toBe(25);
    expect(percent(100, 1)).toBe(50);
    expect(percent(0, 0)).toBe(50);
  });

  it('is one host or more, and never more than half unless one host is', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 99 }), fc.double({ min: 0, max: 20_000, noNaN: true }), (count, rps) => {
        const value = percent(rps, count);
        const hosts = count + 1;
        expect((value * hosts) / 100).toBeGreaterThanOrEqual(1);
        expect(value).toBeLessThanOrEqual(50);
        const ejected = Math.floor((value * hosts) / 100);
        if (ejected > 1) expect((count - ejected) * 100).toBeGreaterThanOrEqual(rps - 1e-6);
      }),
    );
  });
});
