import type { BackTestPoint } from '../ensemble/backTest.js';
import { mean } from '../series.js';

/** A back-test point; `phase` is its place in the shortest season, from 0, where that is known. */
export interface ScoredPoint extends BackTestPoint {
  phase?: number;
}

/** Expected size of the error, rps: `(base + slope × predicted) × phases[phase]`. */
export interface Spread {
  base: number;
  slope: number;
  /** By place in the shortest season, how much more or less than predicted demand says; empty: not known. */
  phases: readonly number[];
}

/** Errors count up to so many times the mean one: an incident must not set the spread of ordinary hours. */
const MOST_TIMES = 6;
/** Phases lean on their neighbours: so many on either side, as a share of the season. */
const SMOOTHED = 1 / 12;
/** As many points of evidence stand for "no different from other phases". */
const PHASE_PRIOR = 20;

/** Least squares of |error| on the predicted value, neither part negative, then by phase what is left. */
export function fitSpread(points: readonly ScoredPoint[], shortestSeason: number): Spread {
  const plain = meanError(points);
  const errors = points.map((point) => Math.min(MOST_TIMES * plain, Math.abs(point.actual - point.predicted)));
  const meanOfErrors = mean(errors);
  const meanPredicted = mean(points.map((point) => point.predicted));
  let across = 0;
  let along = 0;
  for (const [index, point] of points.entries()) {
    across += (point.predicted - meanPredicted) * ((errors[index] ?? 0) - meanOfErrors);
    along += (point.predicted - meanPredicted) ** 2;
  }
  const most = meanPredicted > 0 ? (0.95 * meanOfErrors) / meanPredicted : 0;
  // A part of the error always stays at zero demand: quiet hours are not certain hours.
  const slope = along > 0 ? Math.min(most, Math.max(0, across / along)) : 0;
  const line = { base: meanOfErrors - slope * meanPredicted, slope, phases: [] };
  return { ...line, phases: fitPhases(points, errors, line, shortestSeason) };
}

/** Never negative. Zero only where the back-test had no error at all. */
export function spreadAt({ base, slope, phases }: Spread, predicted: number, phase?: number): number {
  const line = base + slope * Math.max(0, predicted);
  return phase === undefined ? line : line * (phases[phase] ?? 1);
}

function meanError(points: readonly ScoredPoint[]): number {
  return mean(points.map((point) => Math.abs(point.actual - point.predicted)));
}

function fitPhases(
  points: readonly ScoredPoint[],
  errors: readonly number[],
  line: Spread,
  shortestSeason: number,
): number[] {
  if (points.some((point) => point.phase === undefined)) return [];
  const ratio = new Float64Array(shortestSeason);
  const count = new Float64Array(shortestSeason);
  for (const [index, { phase = 0, predicted }] of points.entries()) {
    const width = spreadAt(line, predicted);
    if (width <= 0) return [];
    ratio[phase] = (ratio[phase] ?? 0) + Math.min(MOST_TIMES, (errors[index] ?? 0) / width);
    count[phase] = (count[phase] ?? 0) + 1;
  }
  const reach = Math.max(1, Math.round(SMOOTHED * shortestSeason));
  return Array.from({ length: shortestSeason }, (_, phase) => {
    let sum = PHASE_PRIOR;
    let weight = PHASE_PRIOR;
    for (let step = -reach; step <= reach; step++) {
      const at = (phase + step + shortestSeason * reach) % shortestSeason;
      const near = 1 - Math.abs(step) / (reach + 1);
      sum += near * (ratio[at] ?? 0);
      weight += near * (count[at] ?? 0);
    }
    return sum / weight;
  });
}
