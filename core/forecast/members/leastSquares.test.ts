import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { minimiseSquares, ridge } from './leastSquares.js';

const numbers = (length: number): fc.Arbitrary<number[]> =>
  fc.array(fc.double({ min: -5, max: 5, noNaN: true }), { minLength: length, maxLength: length });

describe('ridge', () => {
  it('finds the weights that made the target', () => {
    const columns = [Float64Array.of(1, 2, 3, 4), Float64Array.of(1, 0, -1, 5)];
    const target = Float64Array.from(
      { length: 4 },
      (_, row) => 3 * (columns[0]?.[row] ?? 0) - (columns[1]?.[row] ?? 0),
    );
    const [first, second] = ridge(columns, target, 0, [0, 0]);
    expect(first).toBeCloseTo(3, 9);
    expect(second).toBeCloseTo(-1, 9);
  });

  it('is at rest: no small step lowers the penalised sum', () => {
    fc.assert(
      fc.property(numbers(8), numbers(8), numbers(8), fc.integer({ min: 0, max: 1 }), (a, b, y, which) => {
        const columns = [Float64Array.from(a), Float64Array.from(b)];
        const cost = (beta: readonly number[]): number =>
          y.reduce((sum, value, row) => {
            const error = value - (beta[0] ?? 0) * (a[row] ?? 0) - (beta[1] ?? 0) * (b[row] ?? 0);
            return sum + error * error;
          }, 0) +
          0.5 * beta.reduce((sum, weight) => sum + weight * weight, 0);
        const best = ridge(columns, Float64Array.from(y), 0, [0.5, 0.5]);
        for (const step of [-1e-3, 1e-3]) {
          const moved = best.map((weight, index) => (index === which ? weight + step : weight));
          expect(cost(moved)).toBeGreaterThanOrEqual(cost(best) - 1e-9);
        }
      }),
    );
  });

  it('gives a column that says nothing no weight', () => {
    const column = Float64Array.of(1, 2, 3);
    expect(ridge([new Float64Array(3), column], column, 0, [0, 0])).toEqual([0, expect.closeTo(1, 9)]);
    const [first = 0, second = 0] = ridge([column, column], column, 0, [0, 0]);
    expect(first + second).toBeCloseTo(1, 9);
  });

  it('looks at no row before the first', () => {
    expect(ridge([Float64Array.of(9, 1, 2)], Float64Array.of(-900, 2, 4), 1, [0])[0]).toBeCloseTo(2, 9);
  });
});

describe('minimiseSquares', () => {
  it('fits what is not linear', () => {
    const times = Array.from({ length: 30 }, (_, index) => index / 10);
    const residuals = ([rate = 0, size = 0]: readonly number[], out: Float64Array): void => {
      for (const [index, time] of times.entries())
        out[index] = 2 * Math.exp(-0.7 * time) - size * Math.exp(-rate * time);
    };
    const [rate, size] = minimiseSquares(residuals, [0.1, 1], times.length, 0);
    expect(rate).toBeCloseTo(0.7, 2);
    expect(size).toBeCloseTo(2, 2);
  });
});
