import { describe, expect, it } from '@jest/globals';

import { adaptiveConcurrency } from './adaptiveConcurrency.js';
import { breakwater } from './breakwater.js';
import { bottleneck, CAPACITY_RPS, deepBottleneck, demandOf, good, run } from './fixtures.js';
import { gradient2 } from './gradient2.js';
import { istioDefaults } from './istioDefaults.js';
import { Clusters } from './topfullClusters.js';
import { RateGate } from './topfullGate.js';
import { topfullMimd } from './topfullMimd.js';

describe('a bottleneck deep in the graph', () => {
  const overload = {
    model: deepBottleneck(),
    demand: demandOf({ deep: 300, flat: 300 }),
    durationMs: 110_000,
    warmUpMs: 80_000,
  };

  it('limits what uses it at the entry, and beats every limiter of single services once it has converged', () => {
    const theirs = run(topfullMimd, overload);
    // By the sets that serve them best here; of them goodput does not move after the first seconds.
    const short = { ...overload, durationMs: 25_000, warmUpMs: 5000 };
    const limiters = [
      [adaptiveConcurrency, 1],
      [gradient2, 5],
      [breakwater, 3],
    ] as const;
    const goodputs = limiters.map(([policy, set]) => {
      return good(run(policy, { ...short, params: policy.grid[set]! }).totals) / 20;
    });
    expect(good(theirs.totals) / 30).toBeGreaterThan(1.2 * Math.max(...goodputs));
    // All of the route that could be served is.
    expect(theirs.totals.entries[1]!.withinDeadline / theirs.totals.entries[1]!.offered).toBeGreaterThan(0.95);
  });
});

describe('a single bottleneck', () => {
  it('takes tens of seconds to converge at −5 % and +1 % a second, and then serves where the defaults serve nothing', () => {
    const overload = {
      model: bottleneck(),
      demand: demandOf({ users: 1.5 * CAPACITY_RPS }),
      durationMs: 120_000,
      windowMs: 10_000,
    };
    const shares = run(topfullMimd, overload).windows.map((window) => good(window) / (10 * CAPACITY_RPS));
    expect(Math.max(...shares.slice(0, 2))).toBeLessThan(0.2);
    expect(Math.min(...shares.slice(-2))).toBeGreaterThan(0.7);
    expect(good(run(istioDefaults, { ...overload, durationMs: 20_000, warmUpMs: 5000 }).totals)).toBe(0);
  });
});

describe('clusters', () => {
  const steps = { decreaseShare: 0.1, increaseShare: 0.5 };
  const late = { mostlyGood: false, late: true };
  const fine = { mostlyGood: false, late: false };
  const made = (rates: readonly number[]): { gate: RateGate; clusters: Clusters } => {
    const gate = new RateGate(2);
    gate.count(rates);
    return { gate, clusters: new Clusters(deepBottleneck(), gate, steps) };
  };
  const limits = (gate: RateGate): number[] => [0, 1].map((api) => gate.limitOf(api));

  it('takes APIs that share an overloaded service at the rate that comes, and leaves the others alone', () => {
    const { gate, clusters } = made([300, 200]);
    clusters.detect(new Set(['store']));
    expect(limits(gate)).toEqual([300, Infinity]);
    clusters.detect(new Set(['store', 'front']));
    expect(limits(gate)).toEqual([300, 200]);
  });

  it('lowers first what uses the overloaded service with the fewest users, and both where they are equal', () => {
    const { gate, clusters } = made([300, 200]);
    const overloaded = new Set(['front', 'store']);
    clusters.detect(overloaded);
    clusters.step([late, late], overloaded);
    expect(limits(gate)).toEqual([270, 200]);
    clusters.step([late, fine], new Set(['front']));
    expect(limits(gate).map(Math.round)).toEqual([247, 177]);
  });

  it('raises the others first, never above 1.1 times what comes, and gives the rest to the next', () => {
    const { gate, clusters } = made([300, 200]);
    const overloaded = new Set(['front', 'store']);
    clusters.detect(overloaded);
    for (let i = 0; i < 3; i++) clusters.step([late, late], overloaded);
    const [before] = limits(gate);
    clusters.step([fine, fine], overloaded);
    // 100 in all: 20 to `flat`, up to 220, and 80 to `deep`.
    expect(limits(gate)[1]).toBeCloseTo(220, 6);
    expect(limits(gate)[0]).toBeCloseTo(before! + 80, 6);
  });

  it('never goes below 10 a second, and lets go when all is clean', () => {
    const { gate, clusters } = made([20, 20]);
    const overloaded = new Set(['store']);
    clusters.detect(overloaded);
    for (let i = 0; i < 40; i++) clusters.step([late, late], overloaded);
    expect(gate.limitOf(0)).toBe(10);
    gate.count([0, 20]);
    for (let i = 0; i < 4; i++) gate.count([0, 20]);
    clusters.step([{ mostlyGood: true, late: false }, fine], overloaded);
    expect(limits(gate)).toEqual([Infinity, Infinity]);
  });
});
