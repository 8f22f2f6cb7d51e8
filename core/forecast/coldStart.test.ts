import { describe, expect, it } from '@jest/globals';

import type { Donor } from './coldStart.js';
import { borrowForecast } from './coldStart.js';
import { curvesOf } from './curves.js';

const HOUR_MS = 3_600_000;
const DAY = [1, 2, 4, 8, 6, 3];

function donor(name: string, shape: readonly number[], isSameService = false): Donor {
  const factor = { p50: 1, p80: 1.1, p90: 1.2, p95: 1.3, p99: 1.6 };
  return {
    name,
    isSameService,
    history: { startMs: 0, stepMs: HOUR_MS, values: Array.from({ length: 60 }, (_, step) => shape[step % 6] ?? 0) },
    quantiles: curvesOf((quantile) => shape.map((value) => value * factor[quantile])),
  };
}

function own(values: readonly number[]): { startMs: number; stepMs: number; values: readonly number[] } {
  return { startMs: (60 - values.length) * HOUR_MS, stepMs: HOUR_MS, values };
}

describe('borrowForecast', () => {
  const shaped = DAY.map((value) => 10 * value);

  it('scales the shape of the sibling that fits best, and says whose it is', () => {
    const borrowed = borrowForecast(own(shaped), [donor('flat', [4, 4, 4, 4, 4, 4]), donor('day', DAY)]);
    expect(borrowed?.quantiles.p50).toEqual(shaped);
    expect(borrowed?.reason).toContain('day, times 10.0: 6 steps');
  });

  it('prefers the same service elsewhere', () => {
    const flat = donor('shop in the other region', [4, 4, 4, 4, 4, 4], true);
    expect(borrowForecast(own(shaped), [donor('day', DAY), flat])?.reason).toContain('shop in the other region');
  });

  it('is wider than the donor, and wider the less both have in common', () => {
    const whole = borrowForecast(own(shaped), [donor('day', DAY)])?.quantiles.p90 ?? [];
    const brief = borrowForecast(own(shaped.slice(-3)), [donor('day', DAY)])?.quantiles.p90 ?? [];
    for (const [step, value] of whole.entries()) {
      expect(value).toBeGreaterThan(1.2 * (shaped[step] ?? 0));
      expect(brief[step]).toBeGreaterThan(value);
    }
  });

  it('has nobody to borrow from without steps in common, or without demand', () => {
    expect(borrowForecast(own([10, 20]), [donor('day', DAY)])).toBeNull();
    expect(borrowForecast(own([0, 0, 0, 0]), [donor('day', DAY)])).toBeNull();
    expect(borrowForecast(own(shaped), [])).toBeNull();
    expect(borrowForecast({ ...own(shaped), startMs: 1000 * HOUR_MS }, [donor('day', DAY)])).toBeNull();
  });
});
