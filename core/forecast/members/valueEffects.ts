import { ridge } from './leastSquares.js';
import type { Regressor } from './members.js';
import type { Scale } from './scale.js';

/** Waves over the shortest season that an effect may follow: rain at noon is not rain at night. */
const WAVES = 2;
/** Standard deviations beyond which a value counts no more. */
const MOST_DEVIATIONS = 4;
/** Of the longest season, after which a step counts half: a warm day is one thing in spring and another in summer. */
const HALF_LIFE_SEASONS = 8;
/** Penalty of the ridge, as a share of the rows: the columns have about unit variance. */
const RIDGE_SHARE = 0.01;

/**
 * Effects are shares of demand; on a model's scale they are worth more where demand is high. By phase of `period`: what
 * the usual demand, the phase's mean, makes of a share.
 */
export function usualWorth(values: readonly number[], period: number, scale: Scale): Float64Array {
  const sums = new Float64Array(period);
  const counts = new Float64Array(period);
  for (const [index, value] of values.entries()) {
    sums[index % period] = (sums[index % period] ?? 0) + value;
    counts[index % period] = (counts[index % period] ?? 0) + 1;
  }
  return Float64Array.from(sums, (sum, phase) => scale.worth(sum / Math.max(1, counts[phase] ?? 0)));
}

/**
 * Columns that say what measured regressors may do to demand, each over history and horizon: the
 * standardised value, its square where it has more than two levels, and the value times waves over the shortest
 * season, all times the worth of their phase. Values ahead count as the nearest that the history has shown; a regressor
 * that never moved gives none.
 */
export function valueColumns(
  regressors: readonly Regressor[],
  shortestSeason: number,
  worth: Float64Array,
): Float64Array[] {
  const columns = regressors.flatMap(({ train, future }) => {
    const value = standardised(train, future);
    if (value === null) return [];
    const own = [value];
    if (new Set(train).size > 2) own.push(value.map((one) => one * one - 1));
    for (let wave = 1; wave <= WAVES && 2 * wave < shortestSeason; wave++) {
      const turn = (2 * Math.PI * wave) / shortestSeason;
      own.push(
        value.map((one, step) => one * Math.sin(turn * step)),
        value.map((one, step) => one * Math.cos(turn * step)),
      );
    }
    return own;
  });
  return columns.map((column) => column.map((value, step) => value * (worth[step % worth.length] ?? 0)));
}

function standardised(train: readonly number[], future: readonly number[]): Float64Array | null {
  let sum = 0;
  let least = Number.POSITIVE_INFINITY;
  let most = Number.NEGATIVE_INFINITY;
  for (const value of train) {
    sum += value;
    least = Math.min(least, value);
    most = Math.max(most, value);
  }
  const middle = sum / train.length;
  const spread = Math.sqrt(train.reduce((total, value) => total + (value - middle) ** 2, 0) / train.length);
  if (!(spread > 1e-9 * Math.max(Math.abs(least), Math.abs(most)))) return null;
  return Float64Array.from([...train, ...future], (value) => {
    const seen = Math.max(least, Math.min(most, value));
    return Math.max(-MOST_DEVIATIONS, Math.min(MOST_DEVIATIONS, (seen - middle) / spread));
  });
}

/**
 * What measured regressors do to demand on a model's own scale, over history and horizon (zeros without any). Learned
 * by ridge regression within seasons: the level around a step and the usual of its phase are taken out of both sides,
 * so that a season's own course is not laid to the weather that comes with it. Recent steps count more.
 */
export function valueEffect(
  values: readonly number[],
  scale: Scale,
  regressors: readonly Regressor[],
  seasons: readonly number[],
  horizonSteps: number,
): Float64Array {
  const { length } = values;
  const effect = new Float64Array(length + horizonSteps);
  const season = seasons.at(-1) ?? 1;
  const columns = valueColumns(regressors, seasons[0] ?? 1, usualWorth(values, season, scale));
  if (columns.length === 0) return effect;
  const series = Float64Array.from(values, (value) => scale.to(value));
  const fading = Float64Array.from(
    { length },
    (_, step) => 0.5 ** ((length - 1 - step) / (2 * HALF_LIFE_SEASONS * season)),
  );
  const rows = fading.reduce((sum, value) => sum + value * value, 0);
  const faded = (column: Float64Array): Float64Array =>
    within(column, season).map((value, step) => value * (fading[step] ?? 0));
  const weights = ridge(
    columns.map((column) => faded(column.subarray(0, length))),
    faded(series),
    0,
    columns.map(() => RIDGE_SHARE * rows),
  );
  for (const [index, column] of columns.entries()) {
    const weight = weights[index] ?? 0;
    for (let step = 0; step < effect.length; step++) effect[step] = (effect[step] ?? 0) + weight * (column[step] ?? 0);
  }
  return effect;
}

/** What is left without the mean of the season around each step, and then without the mean of its phase. */
function within(series: Float64Array, season: number): Float64Array {
  const { length } = series;
  const sums = new Float64Array(length + 1);
  for (let step = 0; step < length; step++) sums[step + 1] = (sums[step] ?? 0) + (series[step] ?? 0);
  const width = Math.min(season, length);
  const left = series.map((value, step) => {
    const from = Math.max(0, Math.min(length - width, step - (width >> 1)));
    return value - ((sums[from + width] ?? 0) - (sums[from] ?? 0)) / width;
  });
  const usual = new Float64Array(season);
  const counts = new Float64Array(season);
  for (let step = 0; step < length; step++) {
    const phase = step % season;
    usual[phase] = (usual[phase] ?? 0) + (left[step] ?? 0);
    counts[phase] = (counts[phase] ?? 0) + 1;
  }
  return left.map((value, step) => value - (usual[step % season] ?? 0) / (counts[step % season] ?? 1));
}
