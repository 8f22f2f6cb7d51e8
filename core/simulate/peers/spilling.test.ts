import { describe, expect, it } from '@jest/globals';

import { CAPACITY_RPS, demandOf, good, offered, run, threeRegions } from './fixtures.js';
import { istioDefaults } from './istioDefaults.js';
import { localityFailover } from './localityFailover.js';
import { waterfall } from './waterfall.js';
import type { TwinResult } from '../result.js';

const model = threeRegions();

function callsIn({ totals }: TwinResult, region: string): number {
  return totals.services.find((one) => one.region === region)!.offered;
}

describe('waterfall', () => {
  const spill = (share: number): TwinResult =>
    run(waterfall, { model, demand: demandOf({ users: share * CAPACITY_RPS }), durationMs: 17_000, warmUpMs: 9000 });

  it('keeps all at home below its threshold of 80 %', () => {
    const result = spill(0.7);
    expect(result.totals.services[0]!.egress).toBe(0);
    expect(good(result.totals) / offered(result.totals)).toBeGreaterThan(0.99);
  });

  it('sends what is above to the nearest, and only that', () => {
    const result = spill(1.4);
    const away = result.totals.services[0]!.egress / offered(result.totals);
    // 0.8 of 1.4 stay.
    expect(Math.abs(away - 0.6 / 1.4)).toBeLessThan(0.03);
    // But for those on their way at the end.
    expect(Math.abs(callsIn(result, 'near') - result.totals.services[0]!.egress)).toBeLessThan(20);
    expect(callsIn(result, 'far')).toBe(0);
    expect(good(result.totals) / offered(result.totals)).toBeGreaterThan(0.99);
  });

  it('goes on to the next when the nearest is full too', () => {
    const result = spill(2);
    const far = callsIn(result, 'far') / offered(result.totals);
    expect(Math.abs(far - 0.4 / 2)).toBeLessThan(0.04);
    expect(good(result.totals) / offered(result.totals)).toBeGreaterThan(0.98);
  });
});

describe('locality failover', () => {
  const faults = [{ kind: 'failing', service: 'a', errorShare: 0.9, fromMs: 5000 }] as const;
  const failing = { model, demand: demandOf({ users: 400 }), faults, durationMs: 30_000, warmUpMs: 10_000 };
  const share = (result: TwinResult): number => good(result.totals) / offered(result.totals);

  it('puts failing endpoints out and goes to the nearest region, which the defaults do not', () => {
    const theirs = run(localityFailover, { ...failing, params: localityFailover.grid[2]! });
    const defaults = run(istioDefaults, failing);
    expect(callsIn(theirs, 'near')).toBeGreaterThan(0.6 * offered(theirs.totals));
    expect(callsIn(theirs, 'far')).toBe(0);
    expect(callsIn(defaults, 'near')).toBe(0);
    expect(share(theirs)).toBeGreaterThan(3 * share(defaults));
  });

  it('ejects nobody of two under the default of 10 %', () => {
    const theirs = run(localityFailover, failing);
    expect(theirs.totals.services[0]!.ejections).toBe(0);
    expect(theirs.totals.services[0]!.egress).toBe(0);
  });

  it('does not spill for overload: what is slow does not fail', () => {
    const theirs = run(localityFailover, {
      model,
      demand: demandOf({ users: 2 * CAPACITY_RPS }),
      durationMs: 10_000,
      params: localityFailover.grid[2]!,
    });
    expect(theirs.totals.services[0]!.egress).toBe(0);
  });
});
