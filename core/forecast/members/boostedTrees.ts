import type { ForecastMember } from './members.js';
import { createRandom } from '../random.js';
import { middleOf } from '../ensemble/sane.js';
import { logScale } from './scale.js';
import type { Series } from '../series.js';
import type { BoostPlan } from './trees/boost.js';
import { boost, predict } from './trees/boost.js';
import { binned, binningOf } from './trees/bins.js';
import type { Cells, Scene } from './trees/features.js';
import { BASE_KINDS, bases, demandFeatures, sharedFeatures } from './trees/features.js';
import { pastOf, usualOf } from './trees/past.js';
import { valueEffect } from './valueEffects.js';

/** Half a year of hours. A whole one was measured to be no better: demand of so long ago had another size and shape. */
const HISTORY_STEPS = 4368;
/** Of a season that the trees look at, the history must hold so many. */
const LEAST_SEASONS = 3;
/** Of the longest season, that lie behind the first step learned from: the most if a quarter of the history has room. */
const MOST_LOOKBACK = 4;
const LEAST_LOOKBACK = 2;
/** Fewer steps to learn from than this teach a tree nothing. */
const LEAST_TARGETS = 100;
/** Each step is asked for from so many origins that there are about this many rows. */
const ROWS = 2000;
const MOST_ORIGINS = 3;

const PLAN: BoostPlan = {
  trees: 60,
  leaves: 12,
  leafWeight: 20,
  shrink: 5,
  rate: 0.1,
  rowShare: 0.7,
  columnShare: 0.3,
  clip: 3,
};

/**
 * Gradient-boosted trees on log demand, asked directly for each step ahead: the lead is a feature, as are the calendar,
 * the same phases of the seasons before, the last levels, and measured regressors. Three forests correct three
 * different bases, and the middle is the forecast. What measured regressors do is taken out in a first, linear pass, so
 * that levels before are those of like weather; the trees learn the rest.
 */
export function boostedTrees(seasons: readonly number[]): ForecastMember {
  return {
    name: 'boosted-trees',
    costly: true,
    historySteps: HISTORY_STEPS,
    forecast(train, horizonSteps, regressors, seed) {
      const { values } = train;
      const { length } = values;
      const usable = seasons.filter((season) => season * LEAST_SEASONS <= length);
      const longest = usable.at(-1);
      if (longest === undefined) return { ok: false, reason: `the history is shorter than ${LEAST_SEASONS} seasons` };
      const from = Math.min(MOST_LOOKBACK * longest, Math.max(LEAST_LOOKBACK * longest, length >> 2));
      if (length - from < LEAST_TARGETS) return { ok: false, reason: 'the history is too short for trees' };
      const scale = logScale(values);
      const scaled = Float64Array.from(values, (value) => scale.to(value));
      const effect = valueEffect(values, scale, regressors, usable, horizonSteps);
      const scene: Scene = {
        demand: pastOf(scaled.map((value, step) => value - (effect[step] ?? 0))),
        known: regressors.map((known) => pastOf(Float64Array.from([...known.train, ...known.future]))),
        seasons: usable,
        clock: clockOf(train),
      };
      const forecasts = corrected(scene, { from, length, horizonSteps, effect }, seed).map((forecast) =>
        Array.from(forecast, (value, step) => Math.max(0, scale.from(value + (effect[length + step] ?? 0)))),
      );
      return middleOf(values, forecasts);
    },
  };
}

interface Span {
  /** First step that is learned. */
  from: number;
  /** Of the history. */
  length: number;
  horizonSteps: number;
  /** Of measured regressors, over history and horizon. */
  effect: Float64Array;
}

/** By base: the forecast on the model's scale, without what measured regressors do. */
function corrected(scene: Scene, span: Span, seed: number): Float64Array[] {
  const { values } = scene.demand;
  const { horizonSteps } = span;
  const learned = learnedCells(span, seed);
  const asked = askedCells(span);
  const weight = weightsOf(scene, span, learned);
  const shared = binnedAlike(sharedFeatures(scene, learned), sharedFeatures(scene, asked));
  return BASE_KINDS.map((kind, index) => {
    const base = bases(scene, learned, kind);
    const ahead = bases(scene, asked, kind);
    const own = binnedAlike(demandFeatures(scene, learned, base), demandFeatures(scene, asked, ahead));
    const target = base.map((value, row) => (values[learned.targets[row] ?? 0] ?? 0) - value);
    const forest = boost([...shared.learned, ...own.learned], target, weight, PLAN, seed + index);
    const correction = predict(forest, [...shared.asked, ...own.asked], horizonSteps);
    return ahead.map((value, step) => value + (correction[step] ?? 0));
  });
}

/** Bins by what is learned from, of that and of what is asked. */
function binnedAlike(
  learned: readonly Float64Array[],
  asked: readonly Float64Array[],
): { learned: Uint8Array[]; asked: Uint8Array[] } {
  const binning = binningOf(learned);
  return { learned: binned(binning, learned), asked: binned(binning, asked) };
}

/** Each step from `from` on, asked from origins drawn over the leads of the horizon. */
function learnedCells({ from, length, horizonSteps }: Span, seed: number): Cells {
  const random = createRandom(seed);
  const targets = length - from;
  const times = Math.max(1, Math.min(MOST_ORIGINS, Math.round(ROWS / targets)));
  const cells = { origins: new Int32Array(times * targets), targets: new Int32Array(times * targets) };
  for (let row = 0; row < times * targets; row++) {
    const target = from + Math.floor(row / times);
    const lead = Math.floor((((row % times) + random()) / times) * Math.min(horizonSteps, target - from + 1));
    cells.targets[row] = target;
    cells.origins[row] = target - lead;
  }
  return cells;
}

function askedCells({ length, horizonSteps }: Span): Cells {
  return {
    origins: new Int32Array(horizonSteps).fill(length),
    targets: Int32Array.from({ length: horizonSteps }, (_, step) => length + step),
  };
}

/** An error on the log scale costs as much as the demand it is a share of; by the usual demand, 1 on average. */
function weightsOf({ demand, seasons }: Scene, { effect }: Span, { origins, targets }: Cells): Float64Array {
  const worth = Float64Array.from(targets, (target, row) =>
    Math.exp(usualOf(demand, origins[row] ?? 0, target, seasons.at(-1) ?? 1, 4, 1) + (effect[target] ?? 0)),
  );
  const mean = worth.reduce((sum, value) => sum + value, 0) / worth.length;
  return worth.map((value) => value / mean);
}

function clockOf({ startMs, stepMs }: Series): number {
  return Math.floor(startMs / stepMs);
}
