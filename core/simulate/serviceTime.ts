import { serviceTimes } from '../plan/capacity/serviceTimes.js';
import { meanOf } from './engine/workTime.js';
import type { ServiceTime } from './model.js';

const CONSTANT_CV = 0.01;
/** A CV this close to 1 is exponential. */
const EXPONENTIAL_WITHIN = 0.02;
/** The longest time of all, over the 99.999th percentile. */
const BEYOND = 1.2;

/**
 * A service time of this mean and CV with the shape that the plan reckons with: constant at 0, gamma below 1, exponential
 * at 1, hyperexponential with balanced means above.
 */
export function timeOf(meanMs: number, cv: number): ServiceTime {
  if (cv < CONSTANT_CV) return { kind: 'constant', meanMs };
  if (Math.abs(cv - 1) <= EXPONENTIAL_WITHIN) return { kind: 'exponential', meanMs };
  if (cv > 1) return { kind: 'hyperexponential', meanMs, cv };
  const { levels, times } = serviceTimes(cv);
  const last = times.at(-1) ?? 0;
  const shape = { kind: 'quantiles' as const, levels: [...levels, 1], timesMs: [...times, BEYOND * last] };
  // Straight pieces between the levels have a mean that is not quite 1.
  const scale = meanMs / meanOf(shape);
  return { ...shape, timesMs: shape.timesMs.map((time) => time * scale) };
}
