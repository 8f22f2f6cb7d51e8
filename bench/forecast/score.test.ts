import { describe, expect, it } from '@jest/globals';

import { meanScore, quantileLoss, scoreOf } from './score.js';

const same = (values: readonly number[]) => ({ p50: values, p80: values, p90: values, p95: values, p99: values });

describe('scoreOf', () => {
  const history = [1, 5, 3, 9];
  const actual = [4, 8];

  it('scales by the seasonal naive of the history', () => {
    // Season 2: |3 − 1| and |9 − 5| are 3 on average; the errors 1 and 2 are 1.5.
    const score = scoreOf({ history, actual, quantiles: same([5, 6]), point: [5, 6], maseSeason: 2 });
    expect(score.mase).toBeCloseTo(0.5, 12);
    expect(score.smape).toBeCloseTo((200 / 9 + 400 / 14) / 2, 12);
    expect(score).toMatchObject({ covered90: 0.5, covered99: 0.5 });
  });

  it('judges the point given, and quantiles by themselves', () => {
    const quantiles = { ...same([0, 0]), p90: [4, 7], p99: [10, 10] };
    const score = scoreOf({ history, actual, quantiles, point: actual, maseSeason: 2 });
    expect(score).toMatchObject({ mase: 0, smape: 0, covered90: 0.5, covered99: 1 });
    // p90 is short by 1 in the second step: 2 × 0.9 × 1 / 12.
    expect(score.wql90).toBeCloseTo(1.8 / 12, 12);
    expect(score.wql99).toBeCloseTo((2 * 0.01 * (6 + 2)) / 12, 12);
    expect(score.wql50).toBe(1);
  });

  it('stays finite for demand that never changed and where nothing came', () => {
    const flat = scoreOf({ history: [2, 2, 2], actual: [2], quantiles: same([3]), point: [3], maseSeason: 1 });
    expect(flat.mase).toBe(0.5);
    const none = scoreOf({ history: [0, 0, 0], actual: [0], quantiles: same([0]), point: [0], maseSeason: 1 });
    expect(Object.values(none).every(Number.isFinite)).toBe(true);
  });

  it('is averaged score by score', () => {
    const one = scoreOf({ history, actual, quantiles: same([5, 6]), point: [5, 6], maseSeason: 2 });
    const two = scoreOf({ history, actual, quantiles: same([4, 8]), point: [4, 8], maseSeason: 2 });
    expect(meanScore([one, two]).mase).toBeCloseTo(0.25, 12);
    expect(meanScore([one, two]).covered90).toBe(0.75);
  });
});

describe('quantileLoss', () => {
  it('is least at the quantile', () => {
    const actual = Array.from({ length: 100 }, (_, index) => index + 1);
    const loss = (value: number): number => quantileLoss(actual, Array(100).fill(value) as number[], 0.9);
    expect(loss(90)).toBeLessThan(loss(85));
    expect(loss(90)).toBeLessThan(loss(95));
    expect(loss(90)).toBeLessThanOrEqual(loss(91) + 1e-12);
  });
});
