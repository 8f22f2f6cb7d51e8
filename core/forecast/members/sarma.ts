import { minimiseSquares } from './leastSquares.js';

/** Orders of a seasonal ARMA process: `(p, q)` by step, `(P, Q)` by season. */
export interface SarmaOrder {
  ar: number;
  ma: number;
  seasonalAr: number;
  seasonalMa: number;
}

/** A lag polynomial `1 − Σ weights[i] × B^lags[i]`, the one of order zero being 1. */
export interface LagPolynomial {
  lags: readonly number[];
  weights: readonly number[];
}

export interface SarmaFit {
  order: SarmaOrder;
  ar: LagPolynomial;
  ma: LagPolynomial;
  innovations: Float64Array;
  /** Mean square of the innovations. */
  variance: number;
  /** Akaike's criterion, corrected for small samples; comparable between orders on the same series and start. */
  aicc: number;
}

/** Farthest a partial autocorrelation goes from zero: beyond it a process forgets too slowly to be told from a trend. */
const MOST_PARTIAL = 0.98;
const START = 0.3;

/**
 * Any real numbers → coefficients of a stationary (or invertible) polynomial: tanh makes them partial
 * autocorrelations, the Durbin–Levinson recursion makes those coefficients (Barndorff-Nielsen & Schou 1973).
 */
export function stableCoefficients(raw: readonly number[]): number[] {
  let coefficients: number[] = [];
  for (const value of raw) {
    const partial = MOST_PARTIAL * Math.tanh(value);
    const last = coefficients.length - 1;
    coefficients = [
      ...coefficients.map((weight, index) => weight - partial * (coefficients[last - index] ?? 0)),
      partial,
    ];
  }
  return coefficients;
}

/** `(1 − Σ a_i B^i)(1 − Σ b_j B^(j × season))` multiplied out. */
export function multiplied(short: readonly number[], seasonal: readonly number[], season: number): LagPolynomial {
  const byLag = new Map<number, number>();
  const add = (lag: number, weight: number): void => {
    byLag.set(lag, (byLag.get(lag) ?? 0) + weight);
  };
  for (const [index, weight] of short.entries()) add(index + 1, weight);
  for (const [index, weight] of seasonal.entries()) {
    const lag = season * (index + 1);
    add(lag, weight);
    for (const [inner, other] of short.entries()) add(lag + inner + 1, -weight * other);
  }
  return { lags: [...byLag.keys()], weights: [...byLag.values()] };
}

/** Fits by conditional least squares; innovations before index `from`, which all lags reach behind, count as zero. */
export function fitSarma(series: Float64Array, order: SarmaOrder, season: number, from: number): SarmaFit {
  const polynomials = (raw: readonly number[]): { ar: LagPolynomial; ma: LagPolynomial } => {
    const afterAr = order.ar + order.seasonalAr;
    const part = (start: number, count: number): number[] => stableCoefficients(raw.slice(start, start + count));
    return {
      ar: multiplied(part(0, order.ar), part(order.ar, order.seasonalAr), season),
      ma: multiplied(part(afterAr, order.ma), part(afterAr + order.ma, order.seasonalMa), season),
    };
  };
  const count = order.ar + order.ma + order.seasonalAr + order.seasonalMa;
  const raw = minimiseSquares(
    (parameters, out) => {
      const { ar, ma } = polynomials(parameters);
      whiten(series, ar, ma, from, out);
    },
    Array.from({ length: count }, () => START),
    series.length,
    from,
  );
  const { ar, ma } = polynomials(raw);
  const innovations = new Float64Array(series.length);
  whiten(series, ar, ma, from, innovations);
  const size = Math.max(1, series.length - from);
  const variance = innovations.reduce((sum, value) => sum + value * value, 0) / size;
  const parameters = count + 1;
  const correction = size / Math.max(1, size - parameters - 1);
  const aicc = size * Math.log(Math.max(variance, Number.MIN_VALUE)) + 2 * parameters * correction;
  return { order, ar, ma, innovations, variance, aicc };
}

/** What is left of a series when a process has explained what it can: its innovations, zero before `from`. */
export function whiten(
  series: Float64Array,
  ar: LagPolynomial,
  ma: LagPolynomial,
  from: number,
  out: Float64Array,
): void {
  out.fill(0, 0, from);
  const arLags = Int32Array.from(ar.lags);
  const maLags = Int32Array.from(ma.lags);
  const arWeights = Float64Array.from(ar.weights);
  const maWeights = Float64Array.from(ma.weights);
  for (let at = from; at < series.length; at++) {
    let value = series[at] ?? 0;
    for (let term = 0; term < arLags.length; term++)
      value -= (arWeights[term] ?? 0) * (series[at - (arLags[term] ?? 0)] ?? 0);
    for (let term = 0; term < maLags.length; term++)
      value += (maWeights[term] ?? 0) * (out[at - (maLags[term] ?? 0)] ?? 0);
    out[at] = value;
  }
}

/** Expected values of the next `steps` steps. */
export function continueSarma(series: Float64Array, fit: SarmaFit, steps: number): number[] {
  const length = series.length;
  const values = new Float64Array(length + steps);
  const innovations = new Float64Array(length + steps);
  values.set(series);
  innovations.set(fit.innovations);
  for (let at = length; at < length + steps; at++) {
    let value = 0;
    for (const [term, lag] of fit.ar.lags.entries()) value += (fit.ar.weights[term] ?? 0) * (values[at - lag] ?? 0);
    for (const [term, lag] of fit.ma.lags.entries())
      value -= (fit.ma.weights[term] ?? 0) * (innovations[at - lag] ?? 0);
    values[at] = value;
  }
  return [...values.subarray(length)];
}
