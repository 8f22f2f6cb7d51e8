import { serviceTimes, sojournTail } from '../../core/plan/capacity/serviceTimes.js';
import type { ServiceTimes } from '../../core/plan/capacity/serviceTimes.js';
import { features, terms, waitAt } from '../../core/plan/capacity/waitModel.js';
import type { FittedPolicy, PolicyFit } from '../../core/plan/capacity/waitModel.js';
import type { Sample } from './samples.js';

const FIELDS = ['pooled', 'random', 'scale', 'waiting'] as const;
type Field = (typeof FIELDS)[number];
/** Pulls coefficients to 0 where samples say nothing. */
const RIDGE = 0.3;
/** Errors of the utilisation beyond this count less and less (Huber), in logarithms. */
const HUBER = 0.04;
/** A p99 that moves less than this with the utilisation (both in logarithms) tells noise. */
const LEAST_SLOPE = 0.08;
const STEP = 1e-3;

/** Gauss–Newton on the error of the p99, told as the error of the utilisation that would give it. */
export function fitPolicy(
  policy: FittedPolicy,
  samples: readonly Sample[],
  start: PolicyFit,
  rounds: number,
): PolicyFit {
  const fields = FIELDS.filter((field) => start[field] !== undefined);
  let fit = start;
  let loss = lossOf(policy, samples, fit, fields);
  let damping = 1;
  for (let round = 0; round < rounds; round++) {
    const step = solve(normalEquations(policy, samples, fit, fields, damping));
    const next = moved(fit, fields, step);
    const nextLoss = lossOf(policy, samples, next, fields);
    if (nextLoss < loss) {
      [fit, loss, damping] = [next, nextLoss, damping / 3];
    } else damping *= 4;
  }
  return fit;
}

/** By sample: model over simulation as an error of the utilisation, in logarithms. */
export function errorsOf(policy: FittedPolicy, samples: readonly Sample[], fit: PolicyFit): number[] {
  return samples.map((sample) => errorOf(policy, sample, fit).error);
}

interface SampleError {
  error: number;
  slope: number;
}

function errorOf(policy: FittedPolicy, { input, p99: simulated }: Sample, fit: PolicyFit): SampleError {
  const service = serviceTimesOf(input.serviceTimeCv);
  const fits = { LEAST_REQUEST: fit, ROUND_ROBIN: fit, RANDOM: fit };
  const p99 = (utilisation: number): number =>
    Math.log(p99Of(service, waitAt({ ...input, policy }, utilisation, fits)));
  const { utilisation } = input;
  const at = p99(utilisation);
  const slope = Math.max(LEAST_SLOPE, (p99(utilisation * 1.01) - p99(utilisation * 0.99)) / 0.02);
  return { error: (at - Math.log(simulated)) / slope, slope };
}

const known = new Map<number, ServiceTimes>();
function serviceTimesOf(cv: number): ServiceTimes {
  const found = known.get(cv) ?? serviceTimes(cv);
  known.set(cv, found);
  return found;
}

export function p99Of(service: ServiceTimes, { waiting, scale }: { waiting: number; scale: number }): number {
  let [low, high] = [0, 1];
  while (sojournTail(service, high, waiting, scale) > 0.01) high *= 2;
  for (let i = 0; i < 40; i++) {
    const middle = (low + high) / 2;
    if (sojournTail(service, middle, waiting, scale) > 0.01) low = middle;
    else high = middle;
  }
  return high;
}

interface Equations {
  matrix: Float64Array[];
  right: Float64Array;
}

function normalEquations(
  policy: FittedPolicy,
  samples: readonly Sample[],
  fit: PolicyFit,
  fields: readonly Field[],
  damping: number,
): Equations {
  const each = termCount(samples);
  const size = each * fields.length;
  const matrix = Array.from({ length: size }, () => new Float64Array(size));
  const right = new Float64Array(size);
  for (const sample of samples) {
    const base = terms(features({ ...sample.input, policy }, sample.input.utilisation));
    const { error } = errorOf(policy, sample, fit);
    const row = new Float64Array(size);
    fields.forEach((field, f) => {
      const shifted = { ...fit, [field]: [(fit[field]?.[0] ?? 0) + STEP, ...(fit[field] ?? []).slice(1)] };
      const slope = (errorOf(policy, sample, shifted).error - error) / STEP;
      base.forEach((term, i) => (row[f * each + i] = slope * term));
    });
    const weight = weightOf(sample) * Math.min(1, HUBER / Math.max(1e-9, Math.abs(error)));
    for (let i = 0; i < size; i++) {
      right[i]! -= weight * error * row[i]!;
      for (let j = 0; j < size; j++) matrix[i]![j]! += weight * row[i]! * row[j]!;
    }
  }
  const ridge = RIDGE * HUBER ** 2;
  fields.forEach((field, f) => {
    for (let i = 0; i < each; i++) {
      const at = f * each + i;
      right[at]! -= ridge * (fit[field]?.[i] ?? 0);
      matrix[at]![at]! += ridge + damping * (matrix[at]![at]! * 0.01 + ridge);
    }
  });
  return { matrix, right };
}

function termCount(samples: readonly Sample[]): number {
  const [first] = samples;
  return first === undefined ? 0 : terms(features(first.input, first.input.utilisation)).length;
}

function lossOf(
  policy: FittedPolicy,
  samples: readonly Sample[],
  fit: PolicyFit,
  fields: readonly Field[],
): number {
  const huber = (e: number): number => (Math.abs(e) < HUBER ? 0.5 * e * e : HUBER * (Math.abs(e) - HUBER / 2));
  const data = samples.reduce((sum, sample) => sum + weightOf(sample) * huber(errorOf(policy, sample, fit).error), 0);
  const size = fields.flatMap((field) => fit[field] ?? []).reduce((sum, value) => sum + value * value, 0);
  return data + 0.5 * RIDGE * HUBER ** 2 * size;
}

function moved(fit: PolicyFit, fields: readonly Field[], step: Float64Array): PolicyFit {
  const each = step.length / fields.length;
  const parts = fields.map((field, f) => [
    field,
    Array.from({ length: each }, (_, i) => (fit[field]?.[i] ?? 0) + (step[f * each + i] ?? 0)),
  ]);
  return { ...fit, ...(Object.fromEntries(parts) as Partial<PolicyFit>) };
}

/** Of a few instances one more or less is allowed, so that an error of the utilisation says little. */
function weightOf({ input }: Sample): number {
  return 0.1 + 0.9 * Math.min(1, input.instances / 20);
}

/** Gauss's elimination with row pivots. */
function solve({ matrix, right }: Equations): Float64Array {
  const n = right.length;
  for (let col = 0; col < n; col++) {
    let pivot = col;
    for (let row = col + 1; row < n; row++)
      if (Math.abs(matrix[row]![col]!) > Math.abs(matrix[pivot]![col]!)) pivot = row;
    [matrix[col], matrix[pivot]] = [matrix[pivot]!, matrix[col]!];
    [right[col], right[pivot]] = [right[pivot]!, right[col]!];
    for (let row = col + 1; row < n; row++) {
      const factor = matrix[row]![col]! / matrix[col]![col]!;
      for (let k = col; k < n; k++) matrix[row]![k]! -= factor * matrix[col]![k]!;
      right[row]! -= factor * right[col]!;
    }
  }
  for (let row = n - 1; row >= 0; row--) {
    for (let k = row + 1; k < n; k++) right[row]! -= matrix[row]![k]! * right[k]!;
    right[row]! /= matrix[row]![row]!;
  }
  return right;
}
