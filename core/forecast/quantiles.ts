import { QUANTILES } from '../spec/forecast.js';
import type { QuantileName } from '../spec/region.js';
import type { BackTestPoint } from './backTest.js';
import { mean } from './series.js';

const LEVEL: Readonly<Record<QuantileName, number>> = { p50: 0.5, p80: 0.8, p90: 0.9, p95: 0.95, p99: 0.99 };
/** Fewer residuals than this do not show a horizon bucket of its own. */
const MIN_BUCKET = 40;
/** Below this many residuals the far tail is fitted instead of read off. */
const MIN_TAIL = 1000;
const INFLATIONS = [1, 1.15, 1.3, 1.5, 1.75, 2] as const;

type ByQuantile = Readonly<Record<QuantileName, number>>;

/** How wrong a member is: residuals in units of a spread that grows with demand, by how far ahead. */
export interface Calibration {
  /** Spread of the error at a predicted value: `base + slope × predicted`. */
  spread: { base: number; slope: number };
  buckets: readonly { upToLead: number; scores: ByQuantile }[];
  /** Longest lead that was tested; beyond it the spread grows with the root of the lead. */
  testedLead: number;
  /** How much wider than the residuals say, because a held-out origin was covered too rarely without it. */
  inflation: number;
  /** Share of points of held-out origins below p90, inflation included; should be 0.9. */
  coverage90: number;
}

/**
 * Conformal-style calibration on pooled back-test residuals. Residuals of one origin move together, so coverage is
 * measured origin by origin, each held out in turn, and the quantiles are widened until it holds.
 */
export function calibrate(points: readonly BackTestPoint[], shortestSeason: number): Calibration {
  const origins = [...new Set(points.map((point) => point.origin))];
  const held = origins.map((origin) => ({
    fitted: fit(
      points.filter((point) => point.origin !== origin),
      shortestSeason,
    ),
    points: points.filter((point) => point.origin === origin),
  }));
  const coverageAt = (inflation: number): number =>
    mean(
      held.flatMap((fold) =>
        fold.points.map((p) =>
          p.actual <= quantileAt({ ...fold.fitted, inflation }, p.predicted, p.lead).p90 ? 1 : 0,
        ),
      ),
    );
  const inflation = INFLATIONS.find((factor) => coverageAt(factor) >= LEVEL.p90) ?? 2;
  return { ...fit(points, shortestSeason), inflation, coverage90: coverageAt(inflation) };
}

/** Quantiles of demand around one predicted value; monotone and never negative. */
export function quantileAt(calibration: Omit<Calibration, 'coverage90'>, predicted: number, lead: number): ByQuantile {
  const { spread, buckets, testedLead, inflation } = calibration;
  const scores = (buckets.find((bucket) => lead <= bucket.upToLead) ?? buckets.at(-1))?.scores;
  const growth = Math.sqrt(Math.max(1, lead / testedLead));
  const width = (spread.base + spread.slope * predicted) * growth;
  const middle = scores?.p50 ?? 0;
  return monotone((name) => predicted + width * (middle + inflation * ((scores?.[name] ?? 0) - middle)));
}

export function monotone(value: (name: QuantileName) => number): ByQuantile {
  let least = 0;
  const at = (name: QuantileName): number => (least = Math.max(least, value(name)));
  return { p50: at('p50'), p80: at('p80'), p90: at('p90'), p95: at('p95'), p99: at('p99') };
}

function fit(points: readonly BackTestPoint[], shortestSeason: number): Omit<Calibration, 'coverage90'> {
  const spread = fitSpread(points);
  const scored = points.map((point) => {
    const width = spread.base + spread.slope * point.predicted;
    return { lead: point.lead, score: width > 0 ? (point.actual - point.predicted) / width : 0 };
  });
  const testedLead = Math.max(1, ...points.map((point) => point.lead));
  const edges = [shortestSeason, 3 * shortestSeason].filter((edge) => edge < testedLead);
  const all = scoresOf(scored.map(({ score }) => score));
  const buckets = [...edges, testedLead].map((upToLead, index, list) => {
    const from = list[index - 1] ?? 0;
    const inside = scored.filter(({ lead }) => lead > from && lead <= upToLead).map(({ score }) => score);
    return { upToLead, scores: inside.length < MIN_BUCKET ? all : scoresOf(inside) };
  });
  return { spread, buckets, testedLead, inflation: 1 };
}

/** Least squares of |error| on the predicted value, neither part negative. */
function fitSpread(points: readonly BackTestPoint[]): { base: number; slope: number } {
  const errors = points.map((point) => Math.abs(point.actual - point.predicted));
  const meanError = mean(errors);
  const meanPredicted = mean(points.map((point) => point.predicted));
  let across = 0;
  let along = 0;
  for (const [index, point] of points.entries()) {
    across += (point.predicted - meanPredicted) * ((errors[index] ?? 0) - meanError);
    along += (point.predicted - meanPredicted) ** 2;
  }
  const most = meanPredicted > 0 ? (0.95 * meanError) / meanPredicted : 0;
  // A part of the error always stays at zero demand: quiet hours are not certain hours.
  const slope = along > 0 ? Math.min(most, Math.max(0, across / along)) : 0;
  return { base: meanError - slope * meanPredicted, slope };
}

function scoresOf(scores: readonly number[]): ByQuantile {
  const sorted = [...scores].sort((a, b) => a - b);
  const ranked = (level: number): number => {
    // The rank of split conformal prediction: one more than the data, because the next value is not among them.
    const rank = Math.ceil((sorted.length + 1) * level);
    return sorted[Math.min(sorted.length, Math.max(1, rank)) - 1] ?? 0;
  };
  const p90 = ranked(LEVEL.p90);
  const excess = mean(sorted.filter((score) => score > p90).map((score) => score - p90));
  const tail = (level: number): number => p90 + excess * Math.log((1 - LEVEL.p90) / (1 - level));
  const by = Object.fromEntries(QUANTILES.map((name) => [name, ranked(LEVEL[name])])) as Record<QuantileName, number>;
  if (sorted.length < MIN_TAIL) by.p99 = Math.max(by.p95, tail(LEVEL.p99));
  return by;
}
