import { describe, expect, it } from '@jest/globals';
import type { DemandSample } from '../spec/csvDemand.js';
import { createRandom } from '../forecast/random.js';
import { burstOf, peaksBySecond } from './peaks.js';

const STEP_SECONDS = 60;

/** Poisson counts around `rps`, with every tenth second `factor` times as busy. */
function seconds(service: string, rps: number, factor: number, steps = 30): DemandSample[] {
  const random = createRandom(7);
  return Array.from({ length: steps * STEP_SECONDS }, (_, i): DemandSample => {
    const mean = i % 10 === 0 ? rps * factor : rps;
    // Normal approximation by the sum of twelve uniforms.
    const z = Array.from({ length: 12 }, () => random()).reduce((sum, one) => sum + one, -6);
    return { at: i * 1000, service, rps: Math.max(0, Math.round(mean + z * Math.sqrt(mean))) };
  });
}

describe('peaksBySecond', () => {
  it('finds nothing beyond chance in steady demand, and the bursts where there are some', () => {
    const peaks = peaksBySecond([...seconds('steady', 400, 1), ...seconds('bursty', 400, 3)], STEP_SECONDS);
    expect(peaks.get('steady')?.excess).toBeLessThan(1.03);
    const bursty = peaks.get('bursty')?.excess ?? 0;
    // Ten times three plus ninety times one is 1.2 in the mean: the busiest second is about 2.5 times that.
    expect(bursty).toBeGreaterThan(2);
    expect(bursty).toBeLessThan(2.6);
  });

  it('does not care in which order seconds come, takes those left out for quiet and leaves empty steps out', () => {
    const listed = seconds('shop', 50, 2, 4);
    const busyOnly = listed.filter((one) => one.at % 2000 === 0);
    const later = busyOnly.map((one) => ({ ...one, at: one.at + 10 * STEP_SECONDS * 1000 }));
    const forward = peaksBySecond([...busyOnly, ...later], STEP_SECONDS).get('shop');
    expect(peaksBySecond([...later, ...busyOnly].reverse(), STEP_SECONDS).get('shop')).toEqual(forward);
    expect(forward?.steps).toBe(8);
    expect(forward?.factor).toBeGreaterThan(peaksBySecond(listed, STEP_SECONDS).get('shop')?.factor ?? 9);
  });
});

describe('burstOf', () => {
  const peaks = peaksBySecond([...seconds('web', 400, 3), ...seconds('api', 400, 1)], STEP_SECONDS);

  it('takes a service by its own seconds, and by those of the entries it is called for', () => {
    const own = burstOf('web', new Map([['api', 1]]), peaks);
    expect(own?.factor).toBe(peaks.get('web')?.excess);
    const web = peaks.get('web')?.excess ?? 0;
    const api = peaks.get('api')?.excess ?? 0;
    const calls = new Map([
      ['web', 3],
      ['api', 1],
      ['unknown', 5],
    ]);
    expect(burstOf('stock', calls, peaks)?.factor).toBeCloseTo((3 * web + api) / 4);
    expect(burstOf('stock', new Map([['unknown', 5]]), peaks)).toBeUndefined();
  });
});
