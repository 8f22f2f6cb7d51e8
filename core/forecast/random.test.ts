import { describe, expect, it } from '@jest/globals';

import { createRandom, normal } from './random.js';
import { mean } from './series.js';

function draw(seed: number, count: number, of: (random: () => number) => number = (random) => random()): number[] {
  const random = createRandom(seed);
  return Array.from({ length: count }, () => of(random));
}

describe('createRandom', () => {
  it('gives the same numbers for a seed, and others for its neighbour', () => {
    expect(draw(1, 20)).toEqual(draw(1, 20));
    expect(draw(1, 20)).not.toEqual(draw(2, 20));
  });

  it('fills [0, 1) evenly', () => {
    const tenths = Array.from({ length: 10 }, () => 0);
    for (const value of draw(3, 20_000)) tenths[Math.floor(10 * value)] = (tenths[Math.floor(10 * value)] ?? 0) + 1;
    for (const count of tenths) expect(Math.abs(count - 2000)).toBeLessThan(200);
  });

  it('does not tell the next number by the last', () => {
    const values = draw(4, 20_000).map((value) => value - 0.5);
    const together = mean(values.slice(1).map((value, index) => value * (values[index] ?? 0)));
    expect(Math.abs(12 * together)).toBeLessThan(0.03);
  });
});

describe('normal', () => {
  it('has mean 0, variance 1, and a normal share beyond two deviations', () => {
    const values = draw(5, 20_000, normal);
    expect(values.every(Number.isFinite)).toBe(true);
    expect(Math.abs(mean(values))).toBeLessThan(0.03);
    expect(Math.abs(mean(values.map((value) => value ** 2)) - 1)).toBeLessThan(0.05);
    const beyond = mean(values.map((value) => (Math.abs(value) > 2 ? 1 : 0)));
    expect(Math.abs(beyond - 0.0455)).toBeLessThan(0.006);
  });
});
