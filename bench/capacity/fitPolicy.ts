import { erlangC } from '../../core/plan/capacity/erlang.js';
import { serviceTimeQuantile } from '../../core/plan/capacity/serviceTimes.js';
import { workOf } from '../../core/plan/capacity/sojourn.js';
import { basis, correction, firstGuess } from '../../core/plan/capacity/waitModel.js';
import type { FittedPolicy, WaitFit } from '../../core/plan/capacity/waitModel.js';
import { equivalentLogit, logitOf, utilisationOf } from './equivalent.js';
import type { Sample } from './samples.js';

/** Pulls coefficients to 0 where samples say nothing. */
const RIDGE = 0.003;
/** Errors of the utilisation beyond this count less and less (Huber). */
const HUBER = 0.03;
const ROUNDS = 6;
/** What the model is not expected to do better than, as an error of the utilisation. */
const MODEL_ERROR = 0.02;
/** A p99 below this, in p99 of service, is that of service alone and tells nothing of waiting. */
const LEAST_WAIT = 1.008;
/** Waits of neighbouring requests are alike: so many tell as much as one that stands alone. */
const ALIKE = 8;

interface Row {
  x: readonly number[];
  /** What is to be learnt, in log-odds. */
  y: number;
  /** Error of the utilisation (logarithm) by error of y. */
  slope: number;
  weight: number;
  /** Hardly anything waits there: that y is no more is all that is known. */
  atMost: boolean;
}

/** Ridge regression, with Huber's weights in some rounds; `known`: what is fitted already, of which RANDOM counts. */
export function fitPolicy(policy: FittedPolicy, samples: readonly Sample[], known: WaitFit): readonly number[] {
  const rows = samples.map((sample) => rowOf(policy, sample, known));
  const size = rows[0]?.x.length ?? 0;
  let fit: readonly number[] = new Array<number>(size).fill(0);
  for (let round = 0; round < ROUNDS; round++) {
    const matrix = Array.from({ length: size }, () => new Float64Array(size));
    const right = new Float64Array(size);
    for (const { x, y, slope, weight, atMost } of rows) {
      const error = slope * (dot(fit, x) - y);
      if (atMost && round > 0 && error <= 0) continue;
      const robust = round === 0 ? weight : weight * Math.min(1, HUBER / Math.max(1e-9, Math.abs(error)));
      for (let i = 0; i < size; i++) {
        const value = robust * x[i]!;
        right[i]! += value * y;
        for (let j = 0; j <= i; j++) matrix[i]![j]! += value * x[j]!;
      }
    }
    for (let i = 0; i < size; i++) matrix[i]![i]! += i === 0 ? 1e-6 : RIDGE;
    fit = solve(matrix, right);
  }
  return fit;
}

/** By sample: model over simulation as an error of the utilisation, in logarithms. */
export function errorsOf(policy: FittedPolicy, samples: readonly Sample[], fit: WaitFit): number[] {
  return samples.map((sample) => {
    const { x, y, slope, atMost } = rowOf(policy, sample, fit);
    const error = slope * (dot(fit[policy], x) - y);
    return atMost ? Math.max(0, error) : error;
  });
}

function rowOf(policy: FittedPolicy, { input, p99 }: Sample, known: WaitFit): Row {
  const { concurrency, serviceTimeCv, utilisation, instances, requests } = input;
  const setting = { ...input, policy };
  const asRandom = policy === 'RANDOM' ? 0 : correction('RANDOM', setting, utilisation, known);
  const least = LEAST_WAIT * serviceTimeQuantile(serviceTimeCv, 0.99);
  const logit = equivalentLogit(workOf(serviceTimeCv, concurrency), concurrency, Math.max(p99, least));
  const slope = 1 - utilisation;
  const waiting = Math.max(1e-5, erlangC(concurrency, utilisationOf(logit) * concurrency));
  const noise = Math.sqrt((ALIKE * slope) / (requests * waiting)) / concurrency;
  // Of a few instances one more or less is allowed, so that an error of the utilisation says little.
  const matters = 0.1 + 0.9 * Math.min(1, instances / 20);
  return {
    x: basis(policy, setting, utilisation),
    y: logit - logitOf(utilisation) - asRandom - firstGuess(policy, setting, utilisation),
    slope,
    atMost: p99 < least,
    weight: (matters * slope ** 2) / (1 + (noise / MODEL_ERROR) ** 2),
  };
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0);
}

/** Cholesky's decomposition of a matrix that is given by its lower half, which it overwrites. */
function solve(matrix: Float64Array[], right: Float64Array): number[] {
  const n = right.length;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let value = matrix[i]![j]!;
      for (let k = 0; k < j; k++) value -= matrix[i]![k]! * matrix[j]![k]!;
      matrix[i]![j] = i === j ? Math.sqrt(value) : value / matrix[j]![j]!;
    }
  }
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < i; k++) right[i]! -= matrix[i]![k]! * right[k]!;
    right[i]! /= matrix[i]![i]!;
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let k = i + 1; k < n; k++) right[i]! -= matrix[k]![i]! * right[k]!;
    right[i]! /= matrix[i]![i]!;
  }
  return [...right];
}
