import { hyperexponential } from './drawTimes.js';
import { gammaCdf, gammaQuantile } from './gamma.js';

/** Distribution of service times with mean 1: straight between `times`, where `levels` of the requests are done. */
export interface ServiceTimes {
  times: Float64Array;
  levels: Float64Array;
}

/** Nothing is gained by telling a CV of a hundredth from none. */
const CONSTANT_CV = 0.01;
/** Finer where a p99 is decided. */
const LEVELS = [
  0, 0.01, 0.03, 0.06, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.93, 0.95, 0.965, 0.975, 0.98, 0.985,
  0.9875, 0.99, 0.992, 0.994, 0.996, 0.998, 0.999, 0.9995, 0.9999, 0.99999,
];

/** Gamma up to CV 1 (constant at 0, exponential at 1), hyperexponential with balanced means above. */
export function serviceTimes(cv: number): ServiceTimes {
  const levels = Float64Array.from(LEVELS);
  if (cv < CONSTANT_CV) return { levels: Float64Array.of(0, 1), times: Float64Array.of(1, 1) };
  return { levels, times: levels.map((level) => serviceTimeQuantile(cv, level)) };
}

export function serviceTimeQuantile(cv: number, level: number): number {
  if (cv < CONSTANT_CV) return 1;
  if (level <= 0) return 0;
  if (cv <= 1) return cv === 1 ? -Math.log(1 - level) : gammaQuantile(1 / (cv * cv), level);
  let [low, high] = [0, -Math.log(1 - level) * hyperexponential(cv * cv).slowMean];
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (serviceTimeTail(cv, middle) > 1 - level) low = middle;
    else high = middle;
  }
  return high;
}

/** Part of the services that take longer than `t` means. */
export function serviceTimeTail(cv: number, t: number): number {
  if (t <= 0) return 1;
  if (cv < CONSTANT_CV) return t < 1 ? 1 : 0;
  if (cv === 1) return Math.exp(-t);
  if (cv < 1) return 1 - gammaCdf(1 / (cv * cv), t / (cv * cv));
  const { probability, fastMean, slowMean } = hyperexponential(cv * cv);
  return probability * Math.exp(-t / fastMean) + (1 - probability) * Math.exp(-t / slowMean);
}

/** Requests that wait: so large a part of all, for a time of generalised Pareto shape. */
export interface Wait {
  waiting: number;
  /** Mean wait of those that wait, in mean service times. */
  scale: number;
  /** 0: exponential, as in a busy queue; −1: uniform, the rest of one constant service; above 0: heavier. */
  shape: number;
}

/**
 * Part of the requests that take longer than `t`: those that wait do so before a service that does not depend on it.
 * Exact for straight pieces of the service distribution.
 */
export function sojournTail(service: ServiceTimes, t: number, waits: readonly Wait[]): number {
  return waits.reduce((sum, wait) => sum + addedTail(service, t, wait), tailOf(service, t));
}

/** Part of the services that alone take longer than `t`. */
function tailOf({ times, levels }: ServiceTimes, t: number): number {
  if (t < (times[0] ?? 0)) return 1;
  for (let i = 1; i < times.length; i++) {
    const [from, to] = [times[i - 1] ?? 0, times[i] ?? 0];
    if (t >= to) continue;
    const [low, high] = [levels[i - 1] ?? 0, levels[i] ?? 0];
    return 1 - low - ((high - low) * (t - from)) / (to - from);
  }
  return 1 - (levels.at(-1) ?? 1);
}

/** Part that takes longer than `t` because it waits. */
function addedTail({ times, levels }: ServiceTimes, t: number, wait: Wait): number {
  let sum = 0;
  let from = times[0] ?? 0;
  let before = from < t ? excess(wait, t - from) : 1;
  for (let i = 1; i < times.length && from < t; i++) {
    const to = times[i] ?? 0;
    const weight = (levels[i] ?? 0) - (levels[i - 1] ?? 0);
    const after = to < t ? excess(wait, t - to) : 1;
    if (to === from) sum += weight * longer(wait, t - to);
    else sum += (weight * wait.scale * (after - before)) / (to - from);
    [from, before] = [to, after];
  }
  return wait.waiting * sum;
}

/** Below this a shape is as good as exponential, and its powers lose their digits. */
const LEAST_SHAPE = 1e-3;

/** Part of the waits that are longer than `w`. */
function longer({ scale, shape }: Wait, w: number): number {
  if (Math.abs(shape) < LEAST_SHAPE) return Math.exp(-w / scale);
  return Math.max(0, 1 + (shape * w) / (scale * (1 - shape))) ** (-1 / shape);
}

/** The integral of `longer` from `w`, over the mean. */
function excess({ scale, shape }: Wait, w: number): number {
  if (Math.abs(shape) < LEAST_SHAPE) return Math.exp(-w / scale);
  return Math.max(0, 1 + (shape * w) / (scale * (1 - shape))) ** (1 - 1 / shape);
}
