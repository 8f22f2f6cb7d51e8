import type { ScoredPoint } from './calibrationSpread.js';
import { fitSpread, spreadAt } from './calibrationSpread.js';
import { mean } from '../series.js';
import { fitTail, sortedQuantile, tailQuantile } from './tail.js';

/** What is kept of a distribution of scores: its quantiles at these levels, rising. */
export const LEVELS: readonly number[] = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.925, 0.95, 0.97, 0.98, 0.99, 0.995,
  0.999,
];

/** Quantiles of scores, one for each of `LEVELS`. A score is an error in units of the spread that was expected. */
export type ScoreShape = readonly number[];

/** How the errors of a region's services are distributed, once scaled. Plain data. */
export interface CalibrationPool {
  /** Last lead of each bucket, rising, and the size of its errors relative to all. */
  buckets: readonly { upToLead: number; growth: number }[];
  shape: ScoreShape;
  /** Services that the shape rests on, each counted by its origins. */
  origins: number;
}

/** One held-out error in units of the spread that the other origins of its service let expect. */
export interface Score {
  origin: number;
  lead: number;
  score: number;
}

/**
 * The shape where nothing else is known: held-out errors of 1-hour and 5-minute public series (M4 hourly, bike hire, web
 * and cloud metrics), scaled in the same way and pooled.
 */
const PRIOR_SHAPE: ScoreShape = [
  -3.6, -3.1, -2.3, -1.8, -1.3, -0.82, -0.48, -0.22, 0, 0.26, 0.58, 1.05, 1.4, 1.85, 2.2, 2.75, 3.4, 4, 5, 6.2, 9.5,
];
/** Origins of evidence that the prior shape, and growth with lead, are worth. */
const PRIOR_ORIGINS = 3;
const GROWTH_PRIOR_ORIGINS = 5;
/** Upper bounds of the buckets in shortest seasons; the last bucket is open. */
const BUCKETS = [1 / 8, 1 / 3, 1, 3] as const;
/** Of an error, in spreads, that counts for the growth with lead. */
const MOST_SCORE = 5;
/** Where the tail is fitted from, and the level from which on it is used instead of the ranks. */
const TAIL_BEYOND = 0.1;
const TAIL_FROM_LEVEL = 0.95;
/** Spread of the other origins that one origin is scored with is at least this share of that of all. */
const LEAST_SHARE = 0.1;

/** Held-out scores of all services of a region as one distribution. */
export function poolScores(
  pointsOfEachService: readonly (readonly ScoredPoint[])[],
  shortestSeason: number,
): CalibrationPool {
  const scores = pointsOfEachService.map((points) => scoresOf(points, shortestSeason));
  const origins = scores.reduce((sum, own) => sum + originsOf(own).length, 0);
  const all = scores.flat();
  const buckets = growthByLead(all, origins, shortestSeason);
  const share = origins / (origins + PRIOR_ORIGINS);
  return { buckets, shape: blend(shapeOf(all, buckets), PRIOR_SHAPE, share), origins };
}

/** Each origin scored with the spread of the others: in-sample errors would be too small by what a fit takes up. */
export function scoresOf(points: readonly ScoredPoint[], shortestSeason: number): Score[] {
  const full = fitSpread(points, shortestSeason);
  return originsOf(points).flatMap((origin) => {
    const others = fitSpread(
      points.filter((point) => point.origin !== origin),
      shortestSeason,
    );
    const own = points.filter((point) => point.origin === origin);
    return own.flatMap(({ lead, actual, predicted, phase }): Score[] => {
      const width = Math.max(spreadAt(others, predicted, phase), LEAST_SHARE * spreadAt(full, predicted, phase));
      const score = (actual - predicted) / width;
      // No error anywhere: nothing is learned about the shape of errors.
      return Number.isFinite(score) ? [{ origin, lead, score }] : [];
    });
  });
}

export function growthAt(buckets: CalibrationPool['buckets'], lead: number): number {
  return (buckets.find((bucket) => lead <= bucket.upToLead) ?? buckets.at(-1))?.growth ?? 1;
}

/**
 * Quantiles of scores, growth with the lead taken out. Beyond the data a fitted tail; the middle moved only as far as the
 * origins agree on it.
 */
export function shapeOf(scores: readonly Score[], buckets: CalibrationPool['buckets']): ScoreShape {
  const sorted = sortedScores(scores, buckets);
  const tail = fitTail(sorted, TAIL_BEYOND);
  const raw = LEVELS.map((level) =>
    tail !== null && level > TAIL_FROM_LEVEL ? tailQuantile(tail, level) : sortedQuantile(sorted, level),
  );
  const byOrigin = originsOf(scores).map((at) => scores.filter(({ origin }) => origin === at));
  const middles = byOrigin.map((own) => sortedQuantile(sortedScores(own, buckets), 0.5));
  const doubt = sortedQuantile(sorted, 0.5) * (1 - agreement(middles));
  const eased = raw.map((value, index) => value - doubt * Math.max(0, 1 - Math.abs((LEVELS[index] ?? 0) - 0.5) / 0.3));
  return rising(eased);
}

/** Level by level, `share` of the first and the rest of the second. */
export function blend(first: ScoreShape, second: ScoreShape, share: number): ScoreShape {
  return first.map((value, index) => share * value + (1 - share) * (second[index] ?? value));
}

/** Value of a shape at any level between 0 and 1: straight between levels on a logistic scale, and on beyond them. */
export function scoreAt(shape: ScoreShape, level: number): number {
  const next = LEVELS.findIndex((known) => known >= level);
  const above = next < 0 ? LEVELS.length - 1 : Math.max(1, next);
  const [from, to] = [logit(LEVELS[above - 1] ?? 0), logit(LEVELS[above] ?? 1)];
  const [low, high] = [shape[above - 1] ?? 0, shape[above] ?? 0];
  return low + ((high - low) * (logit(level) - from)) / (to - from);
}

function logit(level: number): number {
  return Math.log(level / (1 - level));
}

function growthByLead(scores: readonly Score[], origins: number, shortestSeason: number): CalibrationPool['buckets'] {
  const longest = scores.reduce((most, { lead }) => Math.max(most, lead), 1);
  const edges = [...new Set(BUCKETS.map((seasons) => Math.round(seasons * shortestSeason)))].filter(
    (edge) => edge >= 1 && edge < longest,
  );
  const size = (list: readonly Score[]): number => mean(list.map(({ score }) => Math.min(MOST_SCORE, Math.abs(score))));
  const overall = size(scores);
  const share = origins / (origins + GROWTH_PRIOR_ORIGINS);
  return [...edges, longest].map((upToLead, index, list) => {
    const own = size(scores.filter(({ lead }) => lead > (list[index - 1] ?? 0) && lead <= upToLead));
    return { upToLead, growth: own > 0 && overall > 0 ? (own / overall) ** share : 1 };
  });
}

function sortedScores(scores: readonly Score[], buckets: CalibrationPool['buckets']): Float64Array {
  return Float64Array.from(scores, ({ score, lead }) => score / growthAt(buckets, lead)).sort();
}

/**
 * How sure the sign of the middle score is, 0 to 1: positive-part James–Stein on the middles of the origins, whose errors
 * move together.
 */
function agreement(middles: readonly number[]): number {
  if (middles.length < 2) return 0;
  const centre = mean(middles);
  const variance = middles.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (middles.length - 1);
  const noise = variance / middles.length;
  return centre === 0 ? 0 : Math.max(0, 1 - noise / centre / centre);
}

function originsOf(list: readonly { origin: number }[]): number[] {
  return [...new Set(list.map(({ origin }) => origin))];
}

function rising(values: readonly number[]): number[] {
  let least = Number.NEGATIVE_INFINITY;
  return values.map((value) => (least = Math.max(least, value)));
}
