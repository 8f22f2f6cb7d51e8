import { describe, expect, it } from '@jest/globals';

import { GradientController, adaptiveConcurrency } from './adaptiveConcurrency.js';
import { CAPACITY_RPS, bottleneck, demandOf, good, run } from './fixtures.js';
import type { PeerRun } from './fixtures.js';
import { gradient2 } from './gradient2.js';
import { istioDefaults } from './istioDefaults.js';

const twice: PeerRun = {
  model: bottleneck(),
  demand: demandOf({ users: 2 * CAPACITY_RPS }),
  durationMs: 15_000,
  warmUpMs: 3000,
};
const shareOfCapacity = (result: ReturnType<typeof run>): number => good(result.totals) / (12 * CAPACITY_RPS);

describe('at twice the capacity', () => {
  it("Istio's defaults answer nothing in time", () => {
    const { totals } = run(istioDefaults, twice);
    expect(good(totals)).toBe(0);
    // Its instances work all the same, for users who have left.
    expect(totals.services[0]!.utilisation).toBeGreaterThan(0.99);
    expect(totals.entries[0]!.succeeded).toBeGreaterThan(0.9 * 12 * CAPACITY_RPS);
  });

  it.each([adaptiveConcurrency, gradient2])('$name keeps goodput near the capacity', (policy) => {
    const result = run(policy, twice);
    expect(shareOfCapacity(result)).toBeGreaterThan(0.93);
    expect(result.totals.services[0]!.refused.controller).toBeGreaterThan(0.8 * 12 * CAPACITY_RPS);
  });

  it.each([adaptiveConcurrency, gradient2])('$name refuses next to nobody at half of it', (policy) => {
    const { totals } = run(policy, { ...twice, demand: demandOf({ users: CAPACITY_RPS / 2 }) });
    expect(good(totals) / totals.entries[0]!.offered).toBeGreaterThan(0.97);
  });

  it.each([adaptiveConcurrency, gradient2])('$name follows a service that becomes twice as slow', (policy) => {
    const fault = { kind: 'slowService', service: 'a', factor: 2, fromMs: 5000 } as const;
    const result = run(policy, { ...twice, faults: [fault], durationMs: 17_000, warmUpMs: 9000 });
    expect(good(result.totals) / (8 * (CAPACITY_RPS / 2))).toBeGreaterThan(0.7);
  });
});

describe("Envoy's gradient controller", () => {
  const params = { ...adaptiveConcurrency.grid[0]!, jitterPercent: 0 };
  const key = 1;
  const answer = (one: GradientController, nowMs: number, latencyMs: number): void => {
    one.onResponse({ nowMs, latencyMs, outcome: 'ok', inFlight: 0, entry: 0, key });
  };
  const limitAt = (one: GradientController, nowMs: number): number => {
    let inFlight = 0;
    while (one.onRequest({ nowMs, inFlight, entry: 0, attempt: 1, key })) inFlight++;
    return inFlight;
  };
  const measured = (): GradientController => {
    const one = new GradientController(params, () => 0);
    for (let i = 0; i < 50; i++) answer(one, 10 + i, 10);
    return one;
  };

  it('pins the limit to min_concurrency until 50 requests have told minRTT', () => {
    const one = new GradientController(params, () => 0);
    for (let i = 0; i < 49; i++) answer(one, 10 + i, 10);
    expect(limitAt(one, 5000)).toBe(3);
    answer(one, 5001, 10);
    answer(one, 5050, 10);
    expect(limitAt(one, 5102)).toBe(5);
  });

  it('is limit × (minRTT + 25 %) / p90 plus its root, once a window of 100 ms', () => {
    const one = measured();
    for (let i = 0; i < 9; i++) answer(one, 100 + i, 10);
    answer(one, 110, 500);
    expect(limitAt(one, 158)).toBe(3);
    // 3 × 1.25 = 3.75, and √3.75.
    expect(limitAt(one, 160)).toBe(5);
    answer(one, 200, 25);
    // 5 × 0.5 = 2.5, and √2.5: 4.08.
    expect(limitAt(one, 260)).toBe(4);
    expect(limitAt(one, 9000)).toBe(4);
  });

  it('does not count what was dropped, and measures anew after 60 s, or five windows at the least limit', () => {
    const one = measured();
    for (let t = 100; t < 2000; t += 20) answer(one, t, 10);
    const grown = limitAt(one, 2000);
    expect(grown).toBeGreaterThan(30);
    one.onResponse({ nowMs: 2050, latencyMs: 900, outcome: 'dropped', inFlight: 0, entry: 0, key });
    expect(limitAt(one, 2200)).toBe(grown);
    expect(limitAt(one, 60_058)).toBe(grown);
    expect(limitAt(one, 60_060)).toBe(3);
    for (let i = 0; i < 50; i++) answer(one, 60_100 + i, 20);
    expect(limitAt(one, 60_160)).toBe(grown);
    for (let t = 60_200; t < 63_000; t += 20) answer(one, t, 500);
    expect(limitAt(one, 63_000)).toBe(3);
    // It is measuring since, and what began before tells nothing; 500 ms is what the service takes now.
    for (let i = 0; i < 50; i++) answer(one, 63_600 + i, 500);
    for (let t = 63_700; t < 65_000; t += 20) answer(one, t, 500);
    expect(limitAt(one, 65_000)).toBeGreaterThan(10);
  });
});
