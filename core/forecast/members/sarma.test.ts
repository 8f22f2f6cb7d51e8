import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { continueSarma, fitSarma, multiplied, stableCoefficients } from './sarma.js';

/** The partial autocorrelations of coefficients, by the recursion stepped down; stationary is what has all inside ±1. */
function partialsOf(coefficients: readonly number[]): number[] {
  const [last] = coefficients.slice(-1);
  if (last === undefined) return [];
  const shorter = coefficients.slice(0, -1);
  const before = shorter.map((weight, index) => {
    return (weight + last * (shorter[shorter.length - 1 - index] ?? 0)) / (1 - last * last);
  });
  return [...partialsOf(before), last];
}

/** Normal noise by Box–Muller on a small generator with a fixed seed. */
function noise(length: number): number[] {
  let state = 12_345;
  const uniform = (): number => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return (state + 1) / 2_147_483_649;
  };
  return Array.from({ length }, () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()));
}

describe('stableCoefficients', () => {
  it('is stationary for any numbers', () => {
    const raw = fc.array(fc.double({ min: -30, max: 30, noNaN: true }), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(raw, (values) => partialsOf(stableCoefficients(values)).every((one) => Math.abs(one) < 0.99)),
    );
  });

  it('is the partial autocorrelation itself at order one', () => {
    expect(stableCoefficients([Math.atanh(0.5)])[0]).toBeCloseTo(0.49, 9);
    expect(stableCoefficients([])).toEqual([]);
  });
});

describe('multiplied', () => {
  it('multiplies the two polynomials out', () => {
    const { lags, weights } = multiplied([0.5], [0.4], 24);
    expect(lags).toEqual([1, 24, 25]);
    expect(weights).toEqual([0.5, 0.4, -0.2]);
  });
});

describe('fitSarma', () => {
  it('finds the process that made a series, by criterion and by weights', () => {
    const season = 6;
    const shocks = noise(3000);
    const values: number[] = [];
    for (const [at, shock] of shocks.entries()) {
      values.push(0.7 * (values[at - 1] ?? 0) + shock - 0.5 * (shocks[at - season] ?? 0));
    }
    const series = Float64Array.from(values);
    const order = { ar: 1, ma: 0, seasonalAr: 0, seasonalMa: 1 };
    const fit = fitSarma(series, order, season, 10);
    expect(fit.ar.weights[0]).toBeCloseTo(0.7, 1);
    expect(fit.ma.weights[0]).toBeCloseTo(0.5, 1);
    expect(fit.variance).toBeCloseTo(1, 1);
    expect(fit.aicc).toBeLessThan(fitSarma(series, { ...order, seasonalMa: 0 }, season, 10).aicc);
    expect(fit.aicc).toBeLessThan(fitSarma(series, { ...order, ar: 0 }, season, 10).aicc);
  });

  it('forecasts an AR(1) by halving, when a half is its weight', () => {
    const series = Float64Array.of(0, 0, 8);
    const fit = {
      ...fitSarma(series, { ar: 0, ma: 0, seasonalAr: 0, seasonalMa: 0 }, 1, 0),
      ar: { lags: [1], weights: [0.5] },
    };
    expect(continueSarma(series, fit, 3)).toEqual([4, 2, 1]);
  });
});
