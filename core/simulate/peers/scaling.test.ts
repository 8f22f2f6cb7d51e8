import { describe, expect, it } from '@jest/globals';

import type { TwinResult } from '../result.js';
import { demandOf, growing, run } from './fixtures.js';
import { hpa } from './hpa.js';

/** Instances in each window, starting ones included. */
function instancesOf({ windows, windowMs }: TwinResult): number[] {
  return windows.map(({ services }) => Math.round((services[0]!.instanceSeconds * 1000) / windowMs));
}

describe('HPA', () => {
  it('follows a ramp with a lag, and goes beyond what its target says', () => {
    const up = [
      [0, 150],
      [60_000, 600],
    ] as const;
    const result = run(hpa, {
      model: growing(3),
      demand: demandOf({ users: up }),
      durationMs: 300_000,
      windowMs: 15_000,
    });
    const instances = instancesOf(result);
    const wanted = instances.map((_, i) => Math.ceil(Math.min(600, 150 + 450 * ((15 * i + 7.5) / 60)) / 80));
    // Behind on the way, by two and more; what queued up meanwhile then keeps instances busy, so that it goes beyond.
    expect(Math.max(...instances.slice(0, 4).map((count, i) => wanted[i]! - count))).toBeGreaterThanOrEqual(2);
    expect(instances).toEqual([...instances].sort((a, b) => a - b));
    expect(instances.at(-1)!).toBeGreaterThanOrEqual(8);
    expect(instances.at(-1)!).toBeLessThanOrEqual(14);
  });

  it('does not flap: under bursts it never takes down what it needs again', () => {
    const dispersed = {
      entries: [{ entry: 'users', shape: 'step' as const, points: [{ atMs: 0, rps: 300 }], dispersion: 20 }],
    };
    const instances = instancesOf(
      run(hpa, { model: growing(4), demand: dispersed, durationMs: 600_000, windowMs: 15_000 }),
    );
    const turns = instances.filter((count, i) => i > 0 && count < instances[i - 1]!).length;
    expect(turns).toBeLessThanOrEqual(1);
  });

  const spike = [
    [0, 100],
    [30_000, 100],
    [30_001, 1000],
    [95_000, 1000],
    [95_001, 100],
  ] as const;
  const reaction = (set: number): number[] =>
    instancesOf(
      run(hpa, {
        model: growing(2),
        demand: demandOf({ users: spike }),
        durationMs: 600_000,
        windowMs: 15_000,
        params: hpa.grid[set]!,
      }),
    );

  it('grows by a quarter a sync at most where the share of busy workers is its metric: that cannot pass 1', () => {
    // New instances count as idle until they were ready for a whole interval.
    expect(reaction(0).slice(0, 7)).toEqual([2, 2, 2, 3, 3, 4, 4]);
  });

  it('adds four, or doubles, in 15 s where waiting requests count, and comes down only after five minutes', () => {
    const instances = reaction(3);
    expect(instances.slice(0, 6)).toEqual([2, 2, 2, 6, 12, 20]);
    const lastUp = instances.lastIndexOf(20);
    expect((lastUp - instances.indexOf(20)) * 15).toBeGreaterThanOrEqual(300);
    expect(instances.at(-1)!).toBeLessThan(8);
  });
});
