import { DIMENSION } from './context.js';

/**
 * Bayesian linear regression of what a move of one family brings, over features of its context: one posterior for all
 * services and regions, so that what one service showed helps the next. Effects are changes of the reward's `share`
 * (0.01: one percent of the worth of what is offered).
 */
export interface Posterior {
  /** Lower triangle by rows. */
  precision: readonly number[];
  /** Precision times mean. */
  weighted: readonly number[];
  /** Trials that it has learned from; forgetting does not lower it. */
  trials: number;
}

/** How large coefficients are before anything is known. */
const PRIOR_DEVIATION = 0.02;
/** A move costs a little unless it is known to help: so that nothing moves where nothing is wrong. */
const PRIOR_BIAS = -0.002;
/** What a line cannot tell of a trial, beside the trial's own error. */
export const MODEL_DEVIATION = 0.005;
/** Weight that what is known keeps from one trial to the next: half is gone after 69. */
const DISCOUNT = 0.99;
/** What is left after a deployment, or a drift: the old service, and not this one. */
const KEPT_AFTER_CHANGE = 0.1;

export const TRIANGLE = (DIMENSION * (DIMENSION + 1)) / 2;

export function prior(): Posterior {
  const precision = new Array<number>(TRIANGLE).fill(0);
  for (let i = 0; i < DIMENSION; i++) precision[at(i, i)] = PRIOR_DEVIATION ** -2;
  const weighted = new Array<number>(DIMENSION).fill(0);
  weighted[DIMENSION - 1] = PRIOR_BIAS * PRIOR_DEVIATION ** -2;
  return { precision, weighted, trials: 0 };
}

/** After a trial of effect `effect`, known up to the standard deviation `deviation`. Older trials count for less. */
export function learn(posterior: Posterior, features: Float64Array, effect: number, deviation: number): Posterior {
  const old = faded(posterior, DISCOUNT);
  const weight = 1 / (deviation ** 2 + MODEL_DEVIATION ** 2);
  const precision = [...old.precision];
  for (let i = 0; i < DIMENSION; i++) {
    for (let j = 0; j <= i; j++) precision[at(i, j)]! += weight * features[i]! * features[j]!;
  }
  const weighted = old.weighted.map((value, i) => value + weight * features[i]! * effect);
  return { precision, weighted, trials: posterior.trials + 1 };
}

/** After a deployment of the service, or when its behaviour drifted: most of what was learned is of the past. */
export function forget(posterior: Posterior): Posterior {
  return faded(posterior, KEPT_AFTER_CHANGE);
}

/** Towards what was believed before anything was known, which itself never fades. */
function faded({ precision, weighted, trials }: Posterior, kept: number): Posterior {
  const first = prior();
  const mix = (own: number, start: number | undefined): number => kept * own + (1 - kept) * start!;
  return {
    precision: precision.map((value, i) => mix(value, first.precision[i])),
    weighted: weighted.map((value, i) => mix(value, first.weighted[i])),
    trials,
  };
}

/** What the posterior says of one move. */
export interface Belief {
  mean: number;
  deviation: number;
  /** Its square is the variance; the product of two, of moves of one family, their covariance. */
  loading: Float64Array;
}

/** Beliefs about several moves of one family: the factorisation is made once. */
export function beliefs({ precision, weighted }: Posterior, moves: readonly Float64Array[]): Belief[] {
  const factor = cholesky(precision);
  const mean = backward(factor, forward(factor, weighted));
  return moves.map((features) => {
    const loading = forward(factor, features);
    let [value, square] = [0, 0];
    for (let i = 0; i < DIMENSION; i++) {
      value += mean[i]! * features[i]!;
      square += loading[i]! ** 2;
    }
    return { mean: value, deviation: Math.sqrt(square), loading };
  });
}

function at(row: number, column: number): number {
  return (row * (row + 1)) / 2 + column;
}

/** L of L·Lᵀ, lower triangle by rows. The prior in it keeps it positive definite. */
function cholesky(matrix: readonly number[]): Float64Array {
  const factor = new Float64Array(TRIANGLE);
  for (let i = 0; i < DIMENSION; i++) {
    for (let j = 0; j <= i; j++) {
      let rest = matrix[at(i, j)]!;
      for (let k = 0; k < j; k++) rest -= factor[at(i, k)]! * factor[at(j, k)]!;
      factor[at(i, j)] = i === j ? Math.sqrt(rest) : rest / factor[at(j, j)]!;
    }
  }
  return factor;
}

/** L⁻¹·v */
function forward(factor: Float64Array, vector: ArrayLike<number>): Float64Array {
  const result = new Float64Array(DIMENSION);
  for (let i = 0; i < DIMENSION; i++) {
    let rest = vector[i]!;
    for (let k = 0; k < i; k++) rest -= factor[at(i, k)]! * result[k]!;
    result[i] = rest / factor[at(i, i)]!;
  }
  return result;
}

/** L⁻ᵀ·v */
function backward(factor: Float64Array, vector: Float64Array): Float64Array {
  const result = new Float64Array(DIMENSION);
  for (let i = DIMENSION - 1; i >= 0; i--) {
    let rest = vector[i]!;
    for (let k = i + 1; k < DIMENSION; k++) rest -= factor[at(k, i)]! * result[k]!;
    result[i] = rest / factor[at(i, i)]!;
  }
  return result;
}
