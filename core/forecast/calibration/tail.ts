import { mean, median } from '../series.js';

/** Generalised Pareto excess over a threshold that a share `beyond` of values exceeds. */
export interface Tail {
  from: number;
  beyond: number;
  scale: number;
  /** 0 is exponential; above, the tail is heavier. */
  shape: number;
}

/** A heavier shape than this is what a handful of incidents fits by chance; it would own every p99. */
const MOST_SHAPE = 0.3;
/** Fewer values beyond the threshold do not tell a shape: exponential. */
const MIN_SHAPED = 50;

/**
 * Tail of sorted values beyond their quantile `1 - beyond`, by probability-weighted moments (Hosking & Wallis 1987). Its
 * scale is the geometric mean of that and of a robust one from the median excess, so that one incident does not decide.
 * `null`: nothing lies beyond.
 */
export function fitTail(sorted: ArrayLike<number>, beyond: number): Tail | null {
  const from = sortedQuantile(sorted, 1 - beyond);
  let first = Math.floor((1 - beyond) * sorted.length);
  while (first > 0 && (sorted[first - 1] ?? 0) > from) first--;
  const upper = Array.from({ length: sorted.length - first }, (_, index) => sorted[first + index] ?? 0);
  const excess = upper.filter((value) => value > from).map((value) => value - from);
  if (excess.length === 0) return null;
  const average = mean(excess);
  const weighted = mean(excess.map((value, index) => (value * (excess.length - 1 - index)) / (excess.length - 1 || 1)));
  const fitted = average > 2 * weighted ? 2 - average / (average - 2 * weighted) : 0;
  const shape = excess.length < MIN_SHAPED ? 0 : Math.min(MOST_SHAPE, Math.max(0, fitted));
  const plain = average * (1 - shape);
  const robust = (median(excess) * shape) / (2 ** shape - 1) || median(excess) / Math.LN2;
  return { from, beyond, scale: Math.sqrt(plain * robust), shape };
}

/** The value that a share `1 - level` exceeds; `level` at or above the tail's threshold and below 1. */
export function tailQuantile({ from, beyond, scale, shape }: Tail, level: number): number {
  const times = beyond / (1 - level);
  return from + (shape > 0 ? (scale * (times ** shape - 1)) / shape : scale * Math.log(times));
}

/** Quantile of sorted values at rank `(n + 1) × level` (Hyndman & Fan's type 6), which is split conformal's; 0 of none. */
export function sortedQuantile(sorted: ArrayLike<number>, level: number): number {
  const place = Math.min(sorted.length - 1, Math.max(0, (sorted.length + 1) * level - 1));
  const below = Math.floor(place);
  const low = sorted[below] ?? 0;
  return low + (place - below) * ((sorted[below + 1] ?? low) - low);
}
