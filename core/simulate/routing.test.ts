import { describe, expect, it } from '@jest/globals';

import { onProbe, recordResult } from './engine/health.js';
import { Run } from './engine/run.js';
import { oneRegion, place, runOf, service } from './fixtures.js';
import type { PlaceSketch } from './fixtures.js';
import type { TwinFault, TwinModel, TwinRun } from './model.js';
import type { TwinResult } from './result.js';
import { simulate } from './simulate.js';

const SHORT = { kind: 'constant', meanMs: 10 } as const;

function offeredTo(model: TwinModel, rps: number, change: Partial<TwinRun> = {}): number[] {
  const run = new Run(runOf(model, rps, change));
  run.finish();
  return run.world.instances.map(({ offered }) => offered);
}

function shares(here: PlaceSketch, rps = 400, proxies = 1): number[] {
  const offered = offeredTo(oneRegion([service('a', SHORT, here)], proxies), rps);
  const all = offered.reduce((sum, one) => sum + one, 0);
  return offered.map((one) => one / all);
}

/** Two regions, 20 ms apart. */
function twoRegions(here: PlaceSketch, there: PlaceSketch): TwinModel {
  const a = service('a', SHORT, {});
  return {
    ...oneRegion([{ ...a, places: { here: place('here', here), there: place('there', there) } }]),
    regions: [
      { name: 'here', proxies: 1 },
      { name: 'there', proxies: 1 },
    ],
    network: [{ between: ['here', 'there'], oneWayMs: 20 }],
  };
}

const egressShare = ({ totals }: TwinResult): number => totals.services[0]!.egress / totals.services[0]!.admitted;

describe('policies', () => {
  it('ROUND_ROBIN takes turns', () => {
    const offered = offeredTo(
      oneRegion([service('a', SHORT, { instances: 4, settings: { 'lb.policy': 'ROUND_ROBIN' } })]),
      300,
    );
    expect(Math.max(...offered) - Math.min(...offered)).toBeLessThanOrEqual(1);
  });

  it('LEAST_REQUEST spares a slow instance by its requests in flight', () => {
    const slow: TwinFault = { kind: 'slowInstance', service: 'a', instance: 0, factor: 5, fromMs: 0 };
    const model = oneRegion([service('a', SHORT, { instances: 4, workers: 20 })]);
    const offered = offeredTo(model, 800, { faults: [slow] });
    expect(offered[0]! / offered[1]!).toBeLessThan(0.6);
    const random = offeredTo(
      oneRegion([service('a', SHORT, { instances: 4, workers: 20, settings: { 'lb.policy': 'RANDOM' } })]),
      800,
      {
        faults: [slow],
      },
    );
    expect(Math.abs(random[0]! / random[1]! - 1)).toBeLessThan(0.1);
  });

  it.each(['RING_HASH', 'MAGLEV'] as const)('%s sends all requests of a user to one instance', (policy) => {
    const settings = { 'lb.policy': policy };
    const few = {
      ...oneRegion([service('a', SHORT, { instances: 8, workers: 50, settings, change: { affinity: true } })], 3),
      users: 1,
    };
    expect(offeredTo(few, 200).filter((offered) => offered > 0)).toHaveLength(1);
    const many = shares({ instances: 8, workers: 50, settings, change: { affinity: true } });
    expect(Math.max(...many) / Math.min(...many)).toBeLessThan(1.9);
  });

  it('slow start lets the share of an instance that returns grow from a tenth', () => {
    const settings = { 'lb.policy': 'ROUND_ROBIN' as const, 'lb.slowStartMs': 10_000, 'health.intervalMs': 100 };
    const model = oneRegion([service('a', SHORT, { instances: 2, workers: 50, startupMs: 0, settings })]);
    const seen: number[] = [];
    simulate({
      ...runOf(model, 1000, { durationMs: 16_000 }),
      faults: [{ kind: 'instanceDown', service: 'a', instance: 1, how: 'refuses', fromMs: 0, untilMs: 1000 }],
      control: {
        intervalMs: 1000,
        onTick: ({ instances }) => {
          const [one, two] = instances.map(({ offered }) => offered) as [number, number];
          seen.push(two / (one + two));
          return [];
        },
      },
    });
    // In the 3rd second about a fifth of its weight against one whole; at the end as much as the other.
    expect(seen[2]!).toBeGreaterThan(0.08);
    expect(seen[2]!).toBeLessThan(0.22);
    expect(seen[14]!).toBeCloseTo(0.5, 2);
  });
});

describe('localities and priorities', () => {
  it('share by weight, to the request', () => {
    const result = simulate(
      runOf(twoRegions({ workers: 50, change: { weights: { here: 70, there: 30 } } }, { workers: 50 }), 200),
    );
    expect(egressShare(result)).toBeCloseTo(0.3, 3);
    // There and back, twice where the connection had to be made.
    expect(result.totals.services[0]!.latency.p50Ms).toBeLessThan(11);
    expect(result.totals.services[0]!.latency.p90Ms).toBeGreaterThan(49);
    expect(result.totals.services[1]!.offered).toBeGreaterThan(0);
  });

  it('zones share our weight by their instances', () => {
    const [a, b, c] = shares({ instances: 3, workers: 50, zones: ['x', 'x', 'y'] }) as [number, number, number];
    expect(a + b).toBeCloseTo(2 / 3, 2);
    expect(c).toBeCloseTo(1 / 3, 2);
  });

  const lost = (count: number): TwinFault[] =>
    Array.from({ length: count }, (_, instance) => ({
      kind: 'instanceDown',
      service: 'a',
      instance,
      how: 'refuses',
      fromMs: 0,
    }));

  it.each([
    // 1.4 × 8/10 is above 1: nothing leaves; 1.4 × 5/10 is 70 %.
    { down: 2, away: 0 },
    { down: 5, away: 0.3 },
    { down: 10, away: 1 },
  ])('with $down of 10 down, $away of the requests fail over to the region that stands by', ({ down, away }) => {
    const change = { failover: ['there'] };
    const settings = { 'health.intervalMs': 100 };
    const model = twoRegions({ instances: 10, workers: 50, settings, change }, { workers: 200 });
    const result = simulate(runOf(model, 400, { faults: lost(down), warmUpMs: 2000 }));
    expect(Math.abs(egressShare(result) - away)).toBeLessThan(0.02);
  });

  it('without anybody healthy nobody is asked, as the panic threshold is 0; with one of 50 all are', () => {
    const settings = { 'health.intervalMs': 100 };
    const calm = oneRegion([service('a', SHORT, { instances: 2, settings })]);
    const { refused, offered } = simulate(runOf(calm, 100, { faults: lost(2), warmUpMs: 2000 })).totals.services[0]!;
    expect(refused.noHealthyHost).toBe(offered);
    const panic = oneRegion([
      service('a', SHORT, { instances: 4, workers: 50, settings, change: { panicThresholdPercent: 50 } }),
    ]);
    const { failed, succeeded } = simulate(runOf(panic, 100, { faults: lost(3), warmUpMs: 2000 })).totals.services[0]!;
    expect(Math.abs(failed / (failed + succeeded) - 0.75)).toBeLessThan(0.05);
  });

  it('a retry leaves the priority that failed', () => {
    const settings = { 'retry.maxPerRequest': 1, 'retry.minConcurrency': 1000, 'health.intervalMs': 100_000 };
    const change = { failover: ['there'] };
    const model = twoRegions({ instances: 3, workers: 50, settings, change }, { workers: 50 });
    const result = simulate(runOf(model, 100, { faults: lost(3) }));
    expect(result.totals.services[0]!.failed).toBe(0);
    expect(result.totals.services[0]!.egress).toBe(result.totals.services[0]!.retries);
  });
});

describe('health', () => {
  it('a proxy finds an instance down after its threshold of checks, and up again after the other', () => {
    const settings = { 'health.intervalMs': 1000, 'health.unhealthyThreshold': 3, 'health.healthyThreshold': 2 };
    const run = new Run({
      ...runOf(oneRegion([service('a', SHORT, { instances: 2, workers: 50, startupMs: 2000, settings })], 8), 400, {
        durationMs: 30_000,
        windowMs: 100,
        faults: [{ kind: 'instanceDown', service: 'a', instance: 0, how: 'refuses', fromMs: 5000, untilMs: 15_000 }],
      }),
    });
    const { windows } = run.finish();
    const failing = windows.filter(({ services }) => services[0]!.failed > 0).map(({ fromMs }) => fromMs);
    // 2 to 3 s by the moment of the first check; nothing fails while it starts, as nobody asks it.
    // What it worked on at 5 s is counted in the window that ends there.
    expect(failing[0]).toBeGreaterThanOrEqual(4900);
    expect(failing.at(-1)).toBeGreaterThan(7000);
    expect(failing.at(-1)).toBeLessThan(8000);
    // It returned at 15 s, started for 2 s, and was asked after 1 to 2 s more.
    const [back, beside] = run.world.instances.map(({ offered }) => offered) as [number, number];
    expect(back).toBeGreaterThan(0.4 * beside);
    expect(back).toBeLessThan(0.7 * beside);
  });

  it('a silent instance costs the time of a connection, or of the request', () => {
    const settings = { 'timeout.requestMs': 400, 'timeout.connectMs': 50, 'health.intervalMs': 1000 };
    const silent: TwinFault = { kind: 'instanceDown', service: 'a', instance: 0, how: 'silent', fromMs: 2000 };
    const model = oneRegion([service('a', SHORT, { instances: 2, workers: 50, settings })]);
    const { timedOut, failed } = simulate(runOf(model, 200, { faults: [silent] })).totals.services[0]!;
    // Connections that there were are used once more and hang; new ones fail.
    expect(timedOut).toBeGreaterThan(0);
    expect(failed).toBeGreaterThan(timedOut);
  });
});

describe('outlier detection', () => {
  const failing: TwinFault = { kind: 'failing', service: 'a', instance: 0, errorShare: 1, fromMs: 0 };
  const base = {
    'outlier.consecutive5xx': 5,
    'outlier.maxEjectionPercent': 50,
    'outlier.baseEjectionMs': 3000,
    'health.intervalMs': 100_000,
  };
  const run = (settings: PlaceSketch['settings'], change: PlaceSketch['change'] = {}): TwinResult =>
    simulate(
      runOf(
        oneRegion([service('a', SHORT, { instances: 4, workers: 50, settings: { ...base, ...settings }, change })]),
        400,
        {
          durationMs: 60_000,
          faults: [failing],
        },
      ),
    );

  it('takes a host out after failures in a row, each time for longer', () => {
    const { totals, windows } = run({});
    // Out 5 of 8 times: 3, 6, 9, 12 … s, each rounded up to an interval, and charged one less each interval back.
    expect(totals.services[0]!.failed).toBe(5 * totals.services[0]!.ejections + (totals.services[0]!.failed % 5));
    expect(totals.services[0]!.ejections).toBeGreaterThanOrEqual(5);
    expect(totals.services[0]!.ejections).toBeLessThanOrEqual(8);
    const quiet = windows.filter(({ services }) => services[0]!.failed === 0).length;
    expect(quiet).toBeGreaterThan(45);
  });

  it('not where one host is more than the percent that may be out', () => {
    const { ejections, failed } = run({ 'outlier.maxEjectionPercent': 24 }).totals.services[0]!;
    expect(ejections).toBe(0);
    expect(failed).toBeGreaterThan(5000);
  });

  it('a host that returns begins anew: what failed while it was out is forgotten', () => {
    const { world } = new Run(runOf(oneRegion([service('a', SHORT, { instances: 4, settings: base })]), 1));
    const view = world.views[0]!;
    const fail = (times: number): boolean => {
      for (let i = 0; i < times; i++) recordResult(world, view, 0, true);
      return view.ejectedAt[0]! >= 0;
    };
    expect([fail(4), fail(1)]).toEqual([false, true]);
    // Requests that it was asked before.
    fail(3);
    onProbe(world, view.number * world.hostStride);
    expect([fail(4), fail(1)]).toEqual([false, true]);
  });

  it('a health check that passes ends it, as Envoy has it by default', () => {
    const often = { 'health.intervalMs': 1000 };
    expect(run(often).totals.services[0]!.ejections).toBeGreaterThan(50);
    expect(run(often, { healthCheckEndsEjection: false }).totals.services[0]!.ejections).toBeLessThan(9);
  });
});
