import { describe, expect, it } from '@jest/globals';
import { deriveSeed, exponential, logNormal, seededRandom } from './random.js';

const N = 50_000;
function moments(draw: () => number): { mean: number; variation: number } {
  const values = Array.from({ length: N }, draw);
  const mean = values.reduce((a, b) => a + b, 0) / N;
  const variance = values.reduce((a, b) => a + (b - mean) ** 2, 0) / N;
  return { mean, variation: Math.sqrt(variance) / mean };
}

describe('seeded chance', () => {
  it('repeats itself for the same seed, and only then', () => {
    const draw = (seed: number): number[] => Array.from({ length: 5 }, seededRandom(seed));
    expect(draw(1)).toEqual(draw(1));
    expect(draw(1)).not.toEqual(draw(2));
    expect(deriveSeed(1, 'a')).not.toBe(deriveSeed(1, 'b'));
    expect(deriveSeed(1, 'a')).not.toBe(deriveSeed(2, 'a'));
  });

  it('has the mean and the spread that were asked for', () => {
    const random = seededRandom(7);
    const exponentials = moments(() => exponential(random, 40));
    expect(exponentials.mean / 40).toBeCloseTo(1, 1);
    expect(exponentials.variation).toBeCloseTo(1, 1);
    const logNormals = moments(() => logNormal(random, 40, 0.5));
    expect(logNormals.mean / 40).toBeCloseTo(1, 1);
    expect(logNormals.variation).toBeCloseTo(0.5, 1);
  });
});
