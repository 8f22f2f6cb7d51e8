import type { QuantileName } from '../../spec/region.js';
import type { CalibrationPool, Score, ScoreShape } from './calibrationPool.js';
import { blend, growthAt, LEVELS, poolScores, scoreAt, scoresOf, shapeOf } from './calibrationPool.js';
import type { ScoredPoint, Spread } from './calibrationSpread.js';
import { fitSpread, spreadAt } from './calibrationSpread.js';
import { mean } from '../series.js';

export const LEVEL: Readonly<Record<QuantileName, number>> = { p50: 0.5, p80: 0.8, p90: 0.9, p95: 0.95, p99: 0.99 };
/** Origins of its own that a service's shape needs to count as much as the pool's. */
const POOL_ORIGINS = 20;

type ByQuantile = Readonly<Record<QuantileName, number>>;

/** How wrong a forecast is: residuals in units of a spread that grows with demand, by how far ahead. Plain data. */
export interface Calibration {
  spread: Spread;
  buckets: CalibrationPool['buckets'];
  /** Quantiles of the scaled residuals at `LEVELS`. */
  shape: ScoreShape;
  /** Longest lead that was tested; beyond it the spread grows with the root of the lead. */
  testedLead: number;
  /** Share of points of held-out origins below p90; should be 0.9. */
  coverage90: number;
}

/**
 * Cross-conformal calibration of one service. The spread is its own; the shape of the scaled residuals, and how they grow
 * with the lead, come from the pool of its region, its own evidence given its share. Residuals of one origin move
 * together, so each is scored by what the others let expect (Vovk 2015): that is where the width for few origins comes
 * from. Without a pool the service is one by itself.
 */
export function calibrate(
  points: readonly ScoredPoint[],
  shortestSeason: number,
  pool: CalibrationPool = poolScores([points], shortestSeason),
): Calibration {
  const own = scoresOf(points, shortestSeason);
  return {
    spread: fitSpread(points, shortestSeason),
    buckets: pool.buckets,
    shape: shapeWith(own, pool),
    testedLead: points.reduce((most, { lead }) => Math.max(most, lead), 1),
    coverage90: heldOutCoverage(own, pool),
  };
}

/** Quantiles of demand around one predicted value, rps; monotone and never negative. `phase` as in the points. */
export function quantileAt(calibration: Calibration, predicted: number, lead: number, phase?: number): ByQuantile {
  return monotone((name) => demandAt(calibration, predicted, lead, LEVEL[name], phase));
}

/** Demand at any level between 0 and 1 around one predicted value, rps; never negative, rising with the level. */
export function demandAt(
  calibration: Calibration,
  predicted: number,
  lead: number,
  level: number,
  phase?: number,
): number {
  const { spread, buckets, shape, testedLead } = calibration;
  const reached = Math.max(testedLead, buckets.at(-1)?.upToLead ?? 1);
  const growth = growthAt(buckets, lead) * Math.sqrt(Math.max(1, lead / reached));
  return Math.max(0, predicted + spreadAt(spread, predicted, phase) * growth * scoreAt(shape, level));
}

export function monotone(value: (name: QuantileName) => number): ByQuantile {
  let least = 0;
  const at = (name: QuantileName): number => (least = Math.max(least, value(name)));
  return { p50: at('p50'), p80: at('p80'), p90: at('p90'), p95: at('p95'), p99: at('p99') };
}

function shapeWith(own: readonly Score[], pool: CalibrationPool): ScoreShape {
  if (own.length === 0) return pool.shape;
  const origins = new Set(own.map(({ origin }) => origin)).size;
  return blend(shapeOf(own, pool.buckets), pool.shape, origins / (origins + POOL_ORIGINS));
}

/** Each origin judged by what the others and the pool say. */
function heldOutCoverage(own: readonly Score[], pool: CalibrationPool): number {
  const at = LEVELS.indexOf(LEVEL.p90);
  const origins = [...new Set(own.map(({ origin }) => origin))];
  const covered = origins.flatMap((origin) => {
    const p90 = shapeWith(
      own.filter((score) => score.origin !== origin),
      pool,
    )[at];
    return own
      .filter((score) => score.origin === origin)
      .map(({ score, lead }) => (score <= (p90 ?? 0) * growthAt(pool.buckets, lead) ? 1 : 0));
  });
  return covered.length === 0 ? 1 : mean(covered);
}
