import type { ErrorShape } from '../../spec/forecastPaths.js';
import { fitSpread, spreadAt } from './calibrationSpread.js';
import { pointsOf } from '../ensemble/choice.js';
import type { HeldOut } from '../ensemble/choice.js';
import { mean } from '../series.js';
import { normalQuantile } from '../normalQuantile.js';

/** Origins of evidence that the region's mean share of level is worth to each service. */
const SHARE_ORIGINS = 5;
/** The share of level where nobody's errors were seen. */
const DEFAULT_SHARE = 0.2;
const MOST_PAIRS = 2000;

/** Errors of a service by origin, as ranks on a normal scale: an incident is one bad hour and not the whole service. */
export function normalScores(heldOut: readonly HeldOut[], shortestSeason: number): number[][] {
  const points = pointsOf(heldOut);
  const spread = fitSpread(points, shortestSeason);
  const scores = points.map(({ actual, predicted }) => {
    const width = spreadAt(spread, predicted);
    return width > 0 ? (actual - predicted) / width : 0;
  });
  const order = scores.map((_, index) => index).sort((a, b) => (scores[a] ?? 0) - (scores[b] ?? 0));
  const normal = Array.from({ length: scores.length }, () => 0);
  for (let from = 0; from < order.length;) {
    let to = from + 1;
    while (to < order.length && scores[order[to] ?? 0] === scores[order[from] ?? 0]) to++;
    // Equal errors are equal ranks: hours without any error say nothing about which came first.
    const value = normalQuantile((from + to) / 2 / order.length);
    for (let place = from; place < to; place++) normal[order[place] ?? 0] = value;
    from = to;
  }
  let next = 0;
  return heldOut.map(({ actual }) => normal.slice(next, (next += actual.length)));
}

/** By service; the share of level of each leans on that of all. */
export function errorShapes(scoresOfServices: readonly (readonly (readonly number[])[])[]): ErrorShape[] {
  const parts = scoresOfServices.map(split);
  const seen = parts.filter((part) => part.total > 0);
  const common = seen.length === 0 ? DEFAULT_SHARE : mean(seen.map(({ level, total }) => level / total));
  return parts.map(({ level, total, levels, around }) => {
    const own = total > 0 ? level / total : common;
    const weight = total > 0 ? levels.length / (levels.length + SHARE_ORIGINS) : 0;
    return { share: weight * own + (1 - weight) * common, levels, around };
  });
}

/**
 * Share of the dependence between levels of services that is more than chance: few origins make any two look related.
 * From the mean squared correlation of pairs, less what independent ones would show.
 */
export function levelDependence(levels: readonly (readonly number[])[]): number {
  const seen = levels.filter((one) => one.some((value) => value !== 0));
  const origins = seen[0]?.length ?? 0;
  if (seen.length < 2 || origins < 3) return 1;
  const stride = Math.max(1, Math.floor((seen.length * (seen.length - 1)) / 2 / MOST_PAIRS));
  const squares: number[] = [];
  let pair = 0;
  for (const [index, one] of seen.entries()) {
    for (let other = index + 1; other < seen.length; other++) {
      if (pair++ % stride !== 0) continue;
      squares.push(one.reduce((sum, value, origin) => sum + value * (seen[other]?.[origin] ?? 0), 0) ** 2);
    }
  }
  const found = mean(squares);
  const chance = 1 / (origins - 1);
  const real = Math.max(0, (found - chance) / (1 - chance));
  return found > 0 ? Math.min(1, Math.sqrt(real / found)) : 0;
}

function split(byOrigin: readonly (readonly number[])[]): Omit<ErrorShape, 'share'> & { level: number; total: number } {
  const means = byOrigin.map(mean);
  const centre = mean(means);
  const squares = means.reduce((sum, value) => sum + (value - centre) ** 2, 0);
  const rest = byOrigin.map((scores, origin) => scores.map((score) => score - (means[origin] ?? 0)));
  const variance = mean(rest.flat().map((value) => value ** 2));
  const level = means.length > 1 ? squares / (means.length - 1) : 0;
  const size = Math.sqrt(squares);
  const width = Math.sqrt(variance);
  return {
    level,
    total: level + variance,
    levels: means.map((value) => (size > 0 ? (value - centre) / size : 0)),
    around: rest.map((scores) => scores.map((score) => (width > 0 ? Math.round((100 * score) / width) : 0))),
  };
}
