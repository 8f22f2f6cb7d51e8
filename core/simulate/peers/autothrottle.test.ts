import { describe, expect, it } from '@jest/globals';

import type { TwinResult } from '../result.js';
import { autothrottle, autothrottleFrom } from './autothrottle.js';
import type { TowerSample } from './autothrottleTower.js';
import { demandOf, good, growing, offered, run, threeTiers } from './fixtures.js';
import { hpa } from './hpa.js';

function paidFor({ totals }: TwinResult): number {
  return totals.services.reduce((sum, { instanceSeconds }) => sum + instanceSeconds, 0);
}

describe('Autothrottle-like bandit', () => {
  const steady = { demand: demandOf({ users: 300 }), windowMs: 30_000 };

  it('gives back what is not used and keeps the deadline, with fewer instances than HPA at the target of 50 %', () => {
    const long = { ...steady, model: growing(12), durationMs: 420_000, warmUpMs: 60_000 };
    const theirs = run(autothrottle, long);
    expect(good(theirs.totals) / offered(theirs.totals)).toBeGreaterThan(0.99);
    const scaler = run(hpa, { ...long, params: hpa.grid[1]! });
    expect(theirs.totals.services[0]!.instanceSeconds).toBeLessThan(scaler.totals.services[0]!.instanceSeconds);
  });

  it('needs fewer instances than HPA at 80 %, the leanest of its grid, over a diurnal ramp', () => {
    const wave = Array.from({ length: 121 }, (_, i) => {
      return { atMs: i * 10_000, rps: 250 + 150 * Math.sin((2 * Math.PI * i) / 120 - 1.5) };
    });
    const demand = { entries: [{ entry: 'users', shape: 'linear' as const, points: wave, dispersion: 3 }] };
    const day = { model: threeTiers(), demand, durationMs: 1_200_000, warmUpMs: 60_000, windowMs: 30_000, seed: 3 };
    const theirs = run(autothrottle, { ...day, params: autothrottle.grid[5]! });
    const scaler = run(hpa, day);
    for (const one of [theirs, scaler]) expect(good(one.totals) / offered(one.totals)).toBeGreaterThan(0.99);
    expect(paidFor(theirs)).toBeLessThan(0.97 * paidFor(scaler));
  });

  it('moves by one rung of one group at a time, or not, and is told what each arm cost', () => {
    const samples: TowerSample[] = [];
    const policy = autothrottleFrom([], (sample) => samples.push(sample));
    run(policy, {
      ...steady,
      model: growing(6),
      durationMs: 600_000,
      params: { ...policy.grid[3]!, exploreShare: 0.5 },
    });
    expect(samples.length).toBe(20);
    const moves = samples.slice(1).map(({ arm }, i) => {
      const before = samples[i]!.arm;
      return Math.abs(arm[0] - before[0]) + Math.abs(arm[1] - before[1]);
    });
    expect(Math.max(...moves)).toBe(1);
  });

  it('goes to lower targets, which run more instances, where the SLO does not hold', () => {
    const seen = (late: number): TowerSample[] =>
      Array.from({ length: 5 }, () => ({ rps: 300, arm: [2, 2] as const, late, workers: 16 }));
    const next = (samples: readonly TowerSample[]): readonly [number, number] => {
      const made: TowerSample[] = [];
      const policy = autothrottleFrom(samples, (sample) => made.push(sample));
      run(policy, {
        ...steady,
        model: growing(6),
        durationMs: 121_000,
        params: { ...policy.grid[0]!, exploreShare: 0 },
      });
      return made[1]!.arm;
    };
    const [first, second] = next(seen(0.5));
    expect(first + second).toBe(3);
  });
});
