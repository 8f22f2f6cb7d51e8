import { describe, expect, it } from '@jest/globals';

import type { MethodResult } from './finishSet.js';
import type { Score } from './score.js';
import type { Evidence } from './verdict.js';
import { intervalText, verdictsOf } from './verdict.js';

const SCORE: Score = {
  mase: 0.8,
  smape: 9,
  wql50: 0.1,
  wql90: 0.05,
  wql99: 0.01,
  covered90: 0.9,
  covered99: 0.99,
  regret: 0.3,
};

function result(method: string, score: Partial<Score> = {}, againSeconds = 1): MethodResult {
  return {
    method,
    isPeer: method.endsWith('-py'),
    scores: [{ ...SCORE, ...score }],
    firstSeconds: [6 * againSeconds],
    againSeconds: [againSeconds],
    failed: 0,
    point: 'p50',
    weights: [],
  };
}

const at = (low: number, high: number) => ({ low, mean: (low + high) / 2, high });

function evidence(change: Partial<Evidence> = {}): Evidence {
  const difference = at(-0.1, -0.02);
  return {
    set: 'm4',
    ensemble: result('ensemble', {}, 0.2),
    members: [result('arima', { mase: 0.82 }), result('mstl', { mase: 0.9 })],
    peers: [
      result('lightgbm-py', { mase: 0.85, smape: 10, wql90: 0.06, regret: 0.4 }),
      result('median-of-3-py', { mase: 0.83, smape: 9.5, wql90: 0.055, regret: 0.35 }),
    ],
    comparisons: [
      { method: 'lightgbm-py', mase: difference, smape: difference, wql90: difference, regret: difference },
    ],
    coverage: { p90: at(0.87, 0.91), p99: at(0.97, 0.985) },
    ...change,
  };
}

function failed(given: Evidence): string[] {
  return verdictsOf(given)
    .filter(({ holds }) => !holds)
    .map(({ claim }) => claim);
}

describe('verdictsOf', () => {
  it('finds every line to hold where it does', () => {
    expect(verdictsOf(evidence())).toHaveLength(10);
    expect(failed(evidence())).toEqual([]);
  });

  it('tells each loss', () => {
    expect(failed(evidence({ ensemble: result('ensemble', { mase: 0.9 }, 0.2) }))).toEqual([
      'MASE ≤ 0.83',
      'MASE below every peer',
      'MASE at most 1.03 × that of the best member',
    ]);
    expect(failed(evidence({ ensemble: result('ensemble', { wql90: 0.053, regret: 0.35 }, 0.3) }))).toEqual([
      'wQL90 at least 5 % below the best peer',
      'cost regret below every peer',
      'CPU of a re-forecast ≤ 1/4 of the Python ensemble',
    ]);
    expect(failed(evidence({ coverage: { p90: at(0.921, 0.95), p99: at(0.9, 0.979) } }))).toEqual([
      'interval of p90 coverage meets 0.88–0.92',
      'interval of p99 coverage meets 0.98–1',
    ]);
  });

  it('asks of bike hire an interval without zero', () => {
    const claim = 'MASE below LightGBM, interval without zero';
    expect(failed(evidence({ set: 'bike' }))).toEqual([]);
    const [comparison] = evidence().comparisons;
    if (comparison === undefined) throw new Error('no comparison');
    expect(failed(evidence({ set: 'bike', comparisons: [{ ...comparison, mase: at(-0.1, 0.01) }] }))).toEqual([claim]);
  });

  it('writes intervals with a true minus', () => {
    expect(intervalText(at(-0.1, 0.02), 3)).toBe('−0.040 (−0.100 … 0.020)');
  });
});
