import { describe, expect, it } from '@jest/globals';

import { fitTail, sortedQuantile, tailQuantile } from './tail.js';

/** Evenly spread levels through a quantile function: a sample without the luck of the draw. */
function sampleOf(quantile: (level: number) => number, count = 2000): number[] {
  return Array.from({ length: count }, (_, index) => quantile((index + 0.5) / count));
}

const exponential = (level: number): number => -Math.log(1 - level);
const pareto = (level: number): number => ((1 - level) ** -0.25 - 1) / 0.25;

function tailOf(values: readonly number[]): NonNullable<ReturnType<typeof fitTail>> {
  const tail = fitTail(values, 0.1);
  if (tail === null) throw new Error('no tail');
  return tail;
}

describe('fitTail', () => {
  it('finds an exponential tail far beyond its threshold', () => {
    const tail = tailOf(sampleOf(exponential));
    expect(tail.shape).toBeLessThan(0.05);
    expect(tailQuantile(tail, 0.99) / exponential(0.99)).toBeCloseTo(1, 1);
    expect(tailQuantile(tail, 0.999) / exponential(0.999)).toBeCloseTo(1, 1);
  });

  it('finds a heavier one heavier', () => {
    const tail = tailOf(sampleOf(pareto));
    expect(tail.shape).toBeGreaterThan(0.15);
    expect(Math.abs(tailQuantile(tail, 0.999) / pareto(0.999) - 1)).toBeLessThan(0.15);
  });

  it('goes beyond the data of a small sample', () => {
    const few = sampleOf(exponential, 40);
    expect(tailQuantile(tailOf(few), 0.999)).toBeGreaterThan(Math.max(...few));
  });

  it('is not owned by one incident', () => {
    const quiet = sampleOf(exponential, 200);
    const loud = [...quiet.slice(0, -1), 100];
    const meanExcess = (values: readonly number[]): number => {
      const from = sortedQuantile(values, 0.9);
      const beyond = values.filter((value) => value > from);
      return beyond.reduce((sum, value) => sum + value - from, 0) / beyond.length;
    };
    const grown = tailQuantile(tailOf(loud), 0.99) / tailQuantile(tailOf(quiet), 0.99);
    expect(meanExcess(loud) / meanExcess(quiet)).toBeGreaterThan(4);
    expect(grown).toBeLessThan(2.5);
  });

  it('has none where nothing lies beyond', () => {
    expect(fitTail([1, 1, 1, 1], 0.1)).toBeNull();
    expect(fitTail([], 0.1)).toBeNull();
  });
});

describe('sortedQuantile', () => {
  it('ranks with the value to come counted', () => {
    const nine = [1, 2, 3, 4, 5, 6, 7, 8, 9];
    expect(sortedQuantile(nine, 0.5)).toBe(5);
    expect(sortedQuantile(nine, 0.9)).toBeCloseTo(9);
    expect(sortedQuantile(nine, 0.99)).toBe(9);
    expect(sortedQuantile([], 0.9)).toBe(0);
  });
});
