import { describe, expect, it } from '@jest/globals';

import { oneRegion, service, steady } from '../../core/simulate/fixtures.js';
import { simulate } from '../../core/simulate/simulate.js';
import { median } from '../statistics.js';
import { measuresOf, medianInterval, WINDOW_MS } from './measures.js';

const model = oneRegion([service('a', { kind: 'constant', meanMs: 10 }, { instances: 2 })]);

function measured(rps: number, failing = false): ReturnType<typeof measuresOf> {
  const faults = [{ kind: 'failing', service: 'a', errorShare: 1, fromMs: 120_000, untilMs: 180_000 }] as const;
  const run = { model, demand: steady(rps), durationMs: 300_000, warmUpMs: 60_000, windowMs: WINDOW_MS, seed: 3 };
  return measuresOf(simulate(failing ? { ...run, faults } : run), model);
}

describe('measuresOf', () => {
  it('finds nothing to complain of in a quiet region, and what it costs', () => {
    const { violatingPercent, goodputShare, surgeLostShare, instanceSeconds, reward } = measured(20);
    expect(violatingPercent).toBe(0);
    expect(goodputShare).toBeCloseTo(1, 2);
    expect(surgeLostShare).toBeLessThan(0.01);
    expect(instanceSeconds).toBeCloseTo(480, 6);
    // Value 1 a request, 20 a second, 1 an hour of an instance.
    expect(reward).toBeCloseTo(1 - 480 / 3600 / (20 * 240), 2);
  });

  it('counts the windows and the surge in which all failed', () => {
    const { violatingPercent, surgeLostShare, goodputShare } = measured(20, true);
    expect(violatingPercent).toBeCloseTo((100 * 6) / 24, 9);
    expect(surgeLostShare).toBeCloseTo(1, 2);
    expect(goodputShare).toBeCloseTo(0.75, 1);
  });
});

describe('medianInterval', () => {
  it('holds the median, and is a point where all are alike', () => {
    expect(medianInterval([4, 4, 4], 1)).toEqual({ low: 4, median: 4, high: 4 });
    const { low, median, high } = medianInterval([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 1);
    expect(median).toBe(5.5);
    expect(low).toBeLessThan(median);
    expect(high).toBeGreaterThan(median);
    expect([low, high]).not.toEqual([1, 10]);
  });

  it('is the middle one, or between the two', () => {
    expect([median([3, 1, 2]), median([4, 1, 2, 3])]).toEqual([2, 2.5]);
  });
});
