import { expect, it } from '@jest/globals';

import type { AdmissionFactory, TwinControl } from '../control.js';
import type { TwinPolicy } from '../policy.js';
import { breakwater } from './breakwater.js';
import { CAPACITY_RPS, bottleneck, demandOf, good, run } from './fixtures.js';
import { istioModel } from './istioModel.js';

const model = bottleneck();

it('keeps goodput near the capacity at twice as much, with queues near the target', () => {
  const { totals } = run(breakwater, {
    model,
    demand: demandOf({ users: 2 * CAPACITY_RPS }),
    durationMs: 12_000,
    warmUpMs: 2000,
  });
  expect(good(totals) / (10 * CAPACITY_RPS)).toBeGreaterThan(0.95);
  // 80 ms of waiting, and the work.
  expect(totals.entries[0]!.latency.p50Ms).toBeLessThan(140);
  // Credits refuse at the caller; the door drops what is left over.
  expect(totals.services[0]!.refused.controller).toBeGreaterThan(0.8 * 10 * CAPACITY_RPS);
});

it('refuses next to nobody at half of the capacity', () => {
  const { totals } = run(breakwater, { model, demand: demandOf({ users: CAPACITY_RPS / 2 }), durationMs: 8000 });
  expect(good(totals) / totals.entries[0]!.offered).toBeGreaterThan(0.99);
});

/** As SEDA has it: the rate at each proxy, by the p95 of the last second; more by a step, less by a factor. */
function aimdByLatency(targetMs: number): TwinPolicy {
  const create: TwinPolicy['create'] = ({ model: given }) => {
    const proxies = given.regions[0]!.proxies;
    let rps = CAPACITY_RPS;
    const tokens = new Map<number, { left: number; atMs: number }>();
    const control: TwinControl = {
      intervalMs: 1000,
      onTick: ({ entries: [users] }) => {
        const late = users!.p95Ms === null || users!.p95Ms > targetMs;
        rps = late ? rps / 1.2 : rps + 20;
        return [];
      },
    };
    const admission: AdmissionFactory = ({ side, proxy }) => {
      if (side !== 'entry') return undefined;
      const onRequest = ({ nowMs }: { nowMs: number }): boolean => {
        const bucket = tokens.get(proxy) ?? { left: 1, atMs: 0 };
        const left = Math.min(20, bucket.left + ((nowMs - bucket.atMs) * rps) / proxies / 1000);
        tokens.set(proxy, { left: left >= 1 ? left - 1 : left, atMs: nowMs });
        return left >= 1;
      };
      return { onRequest, onResponse: () => undefined };
    };
    return { model: istioModel(given), control, admission };
  };
  return { name: 'aimd-by-latency', source: 'SEDA (USITS 2003)', grid: [{}], create };
}

it('recovers from a spike of 1.4 times the capacity sooner than AIMD on the rate by latency', () => {
  // Half of what the service takes, then the spike.
  const demand = demandOf({
    users: [
      [0, 0.5 * CAPACITY_RPS],
      [4999, 0.5 * CAPACITY_RPS],
      [5000, 1.4 * CAPACITY_RPS],
    ],
  });
  const windows = [breakwater, aimdByLatency(160)].map((policy) => {
    const result = run(policy, { model, demand, durationMs: 25_000, windowMs: 500 });
    return result.windows.filter(({ fromMs }) => fromMs >= 5000);
  });
  // Windows in a row until goodput is 90 % of the capacity, and stays there for two seconds.
  const [ours, theirs] = windows.map((after) => {
    const reached = after.map((window) => good(window) / (CAPACITY_RPS / 2) > 0.85);
    const at = reached.findIndex((_, i) => reached.slice(i, i + 4).every(Boolean));
    return at < 0 ? after.length : at;
  });
  expect(ours).toBeLessThanOrEqual(2);
  expect(theirs).toBeGreaterThan(3 * Math.max(1, ours!));
});
