import { describe, expect, it } from '@jest/globals';

import { createRandom, normal } from '../../core/forecast/random.js';
import { blockLengthFor, bootstrapMean } from './bootstrap.js';

function noise(count: number, seed: number, persistence = 0): number[] {
  const random = createRandom(seed);
  let value = 0;
  return Array.from({ length: count }, () => (value = persistence * value + normal(random)));
}

describe('bootstrapMean', () => {
  it('has no width where there is nothing to doubt', () => {
    expect(bootstrapMean([[3, 3, 3, 3], [3]], { blockLength: 2, seed: 1 })).toEqual({ low: 3, mean: 3, high: 3 });
  });

  it('has the width of the normal approximation for independent values', () => {
    const values = noise(400, 7);
    const { low, mean, high } = bootstrapMean([values], { blockLength: 1, seed: 1 });
    const error = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 400 / 400);
    expect((mean - low) / (1.96 * error)).toBeCloseTo(1, 0.9);
    expect((high - mean) / (1.96 * error)).toBeCloseTo(1, 0.9);
  });

  it('is wider in blocks where neighbours are alike', () => {
    const values = noise(300, 3, 0.8);
    const width = (blockLength: number): number => {
      const { low, high } = bootstrapMean([values], { blockLength, seed: 1 });
      return high - low;
    };
    expect(width(10)).toBeGreaterThan(1.5 * width(1));
  });

  it('draws as much of each group as it has: what lies between groups is not doubted', () => {
    const apart = bootstrapMean([Array(20).fill(0) as number[], Array(60).fill(8) as number[]], {
      blockLength: 3,
      seed: 5,
    });
    expect(apart).toEqual({ low: 6, mean: 6, high: 6 });
  });

  it('covers the truth nearly always, and what is far from it never', () => {
    const intervals = Array.from({ length: 20 }, (_, trial) =>
      bootstrapMean([noise(30, 100 + trial)], { blockLength: 1, seed: 2 }),
    );
    const covering = (truth: number): number =>
      intervals.filter(({ low, high }) => low <= truth && high >= truth).length;
    expect(covering(0)).toBeGreaterThanOrEqual(17);
    expect(covering(1)).toBe(0);
  });

  it('is the same for the same seed, and another for another', () => {
    const values = noise(40, 9);
    const at = (seed: number) => bootstrapMean([values], { blockLength: 3, seed });
    expect(at(4)).toEqual(at(4));
    expect(at(4)).not.toEqual(at(5));
  });
});

describe('blockLengthFor', () => {
  it('grows with the cube root', () => {
    expect([1, 8, 40, 1000].map(blockLengthFor)).toEqual([1, 2, 3, 10]);
  });
});
