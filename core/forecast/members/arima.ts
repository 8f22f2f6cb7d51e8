import { ridge } from './leastSquares.js';
import type { ForecastMember, Regressor } from './members.js';
import { middleOf } from '../ensemble/sane.js';
import { linearScale, logScale } from './scale.js';
import type { SarmaFit, SarmaOrder } from './sarma.js';
import { continueSarma, fitSarma, whiten } from './sarma.js';
import { usualWorth, valueColumns } from './valueEffects.js';

/** How one of the fits sees the history: its scale, the season it differences, the one that Fourier terms carry. */
interface ArimaShape {
  scale: 'log' | 'linear';
  /** Lag of the difference. */
  differenced: number;
  /** Season of the seasonal ARMA terms. */
  season: number;
  /** 0: none. */
  fourierSeason: number;
}

/** Searched with one seasonal MA term; the best is tried with a seasonal AR term as well. */
const SHORT_ORDERS = [
  { ar: 1, ma: 0 },
  { ar: 1, ma: 1 },
  { ar: 2, ma: 1 },
  { ar: 2, ma: 2 },
  { ar: 3, ma: 0 },
] as const;
const FIRST_ORDER: SarmaOrder = { ar: 1, ma: 1, seasonalAr: 0, seasonalMa: 1 };
/** Longest lag of the orders above, besides the season. */
const LONGEST_LAG = 3;
/** Steps beyond two seasons without which nothing is left to fit on. */
const SPARE_STEPS = 2 * LONGEST_LAG;
const MOST_HARMONICS = 24;
/**
 * Standard deviations expected before the history is seen: of a Fourier weight, of what one standard deviation of a
 * measured regressor does.
 */
const FOURIER_PRIOR = 0.2;
const VALUE_PRIOR = 0.1;
/**
 * Seasonal ARIMA with regressors: the shortest season differenced with the longest one by Fourier terms, and the
 * longest one differenced, each on a log and on a linear scale. The middle of them is the forecast: choosing one by a
 * held-back tail was measured to be worse than taking all (docs/benchmarks.md), and four fits cost tens of milliseconds.
 */
export function arima(seasons: readonly number[]): ForecastMember {
  return {
    name: 'arima',
    costly: true,
    forecast({ values }, horizonSteps, regressors, _seed, learned) {
      const shapes = shapesFor(values.length, seasons);
      if (shapes.length === 0) return { ok: false, reason: 'the history is shorter than two seasons' };
      const orders = parseOrders(learned, shapes.length);
      const fits = shapes.map((shape, index) => forecastShape(values, horizonSteps, regressors, shape, orders[index]));
      const middle = middleOf(
        values,
        fits.map((fit) => fit.mean),
      );
      return middle.ok ? { ...middle, learned: fits.map((fit) => writtenOrder(fit.order)).join(' ') } : middle;
    },
  };
}

function shapesFor(length: number, seasons: readonly number[]): ArimaShape[] {
  const shortest = seasons[0] ?? 1;
  if (length < 2 * shortest + SPARE_STEPS) return [];
  const longest = seasons.findLast((season) => season * 2 <= length && season > shortest) ?? 0;
  const shapes = [{ differenced: shortest, season: shortest, fourierSeason: longest }];
  if (longest > 0 && length >= 3 * longest) shapes.push({ differenced: longest, season: shortest, fourierSeason: 0 });
  return shapes.flatMap((shape) => (['log', 'linear'] as const).map((scale) => ({ scale, ...shape })));
}

function forecastShape(
  values: readonly number[],
  horizonSteps: number,
  regressors: readonly Regressor[],
  shape: ArimaShape,
  known?: SarmaOrder,
): { mean: number[]; order: SarmaOrder } {
  const scale = shape.scale === 'log' ? logScale(values) : linearScale(values);
  const { length } = values;
  const fourier = fourierColumns(shape, length + horizonSteps);
  const worth = usualWorth(values, shape.fourierSeason > 0 ? shape.fourierSeason : shape.differenced, scale);
  const measured = valueColumns(regressors, shape.season, worth);
  const model: Regression = {
    columns: [...fourier, ...measured],
    priors: [...fourier.map(() => FOURIER_PRIOR), ...measured.map(() => VALUE_PRIOR)],
    target: Float64Array.from(values, (value) => scale.to(value)),
    shape,
  };
  const beta = weightsOf(model);
  const explained = combined(model.columns, beta, length + horizonSteps);
  const levels = [...model.target].map((value, row) => value - (explained[row] ?? 0));
  const errors = difference(Float64Array.from(levels), shape.differenced);
  const fit =
    known === undefined
      ? bestFit(errors, shape.season)
      : fitSarma(errors, known, shape.season, firstRow(errors.length, shape.season));
  for (const change of continueSarma(errors, fit, horizonSteps)) {
    levels.push(change + (levels.at(-shape.differenced) ?? 0));
  }
  const ahead = levels.slice(length);
  const mean = ahead.map((level, step) => Math.max(0, scale.from(level + (explained[length + step] ?? 0))));
  return { mean, order: fit.order };
}

/** `(p, q, P, Q)` as four digits, such as `2111`. */
function writtenOrder({ ar, ma, seasonalAr, seasonalMa }: SarmaOrder): string {
  return [ar, ma, seasonalAr, seasonalMa].join('');
}

/** By shape; none where what was learned is of another make, or of other shapes than the history now has. */
function parseOrders(learned: string | undefined, shapes: number): readonly SarmaOrder[] {
  if (learned === undefined || !/^[0-3][0-2][01]1(?: [0-3][0-2][01]1)*$/.test(learned)) return [];
  const orders = learned.split(' ').map((text): SarmaOrder => {
    const [ar = 0, ma = 0, seasonalAr = 0, seasonalMa = 0] = [...text].map(Number);
    return { ar, ma, seasonalAr, seasonalMa };
  });
  return orders.length === shapes ? orders : [];
}

interface Regression {
  /** Over history and horizon. */
  columns: readonly Float64Array[];
  priors: readonly number[];
  /** Over the history. */
  target: Float64Array;
  shape: ArimaShape;
}

/** Generalised least squares in two rounds: errors of a first fit say how to whiten the rows of the second. */
function weightsOf({ columns, priors, target, shape }: Regression): number[] {
  if (columns.length === 0) return [];
  const short = difference(target, shape.differenced);
  const known = columns.map((column) => difference(column.subarray(0, target.length), shape.differenced));
  const penalties = (variance: number): number[] => priors.map((prior) => variance / prior ** 2);
  const first = ridge(known, short, 0, penalties(meanSquare(short)));
  const from = firstRow(short.length, shape.season);
  const explained = combined(known, first, short.length);
  const errors = short.map((value, row) => value - (explained[row] ?? 0));
  const fit = fitSarma(errors, FIRST_ORDER, shape.season, from);
  const white = (series: Float64Array): Float64Array => {
    const out = new Float64Array(series.length);
    whiten(series, fit.ar, fit.ma, from, out);
    return out;
  };
  return ridge(known.map(white), white(short), from, penalties(fit.variance));
}

function bestFit(errors: Float64Array, season: number): SarmaFit {
  const from = firstRow(errors.length, season);
  const better = (a: SarmaFit, b: SarmaFit): SarmaFit => (b.aicc < a.aicc ? b : a);
  const fitted = (order: SarmaOrder): SarmaFit => fitSarma(errors, order, season, from);
  const short = SHORT_ORDERS.map((order) => fitted({ ...order, seasonalAr: 0, seasonalMa: 1 })).reduce(better);
  return better(short, fitted({ ...short.order, seasonalAr: 1 }));
}

/** The same start for all orders, behind the reach of the longest, so that their criteria compare. */
function firstRow(length: number, season: number): number {
  return Math.min(LONGEST_LAG + season, length - 1);
}

function combined(columns: readonly Float64Array[], beta: readonly number[], length: number): Float64Array {
  const sum = new Float64Array(length);
  for (const [index, column] of columns.entries()) {
    const weight = beta[index] ?? 0;
    for (let row = 0; row < length; row++) sum[row] = (sum[row] ?? 0) + weight * (column[row] ?? 0);
  }
  return sum;
}

function meanSquare(series: Float64Array): number {
  return series.reduce((sum, value) => sum + value * value, 0) / series.length;
}

function difference(series: Float64Array, lag: number): Float64Array {
  return series.subarray(lag).map((value, index) => value - (series[index] ?? 0));
}

function fourierColumns({ fourierSeason, season }: ArimaShape, length: number): Float64Array[] {
  if (fourierSeason === 0) return [];
  const harmonics = Array.from(
    { length: Math.min(MOST_HARMONICS, Math.floor((fourierSeason - 1) / 2)) },
    (_, index) => index + 1,
  );
  const waves = [Math.sin, Math.cos].map((wave) =>
    Float64Array.from({ length: fourierSeason }, (_, step) => wave((2 * Math.PI * step) / fourierSeason)),
  );
  return (
    harmonics
      // These are gone with the difference over the short season.
      .filter((harmonic) => (harmonic * season) % fourierSeason !== 0)
      .flatMap((harmonic) =>
        waves.map((wave) => {
          const column = new Float64Array(length);
          for (let row = 0; row < length; row++) column[row] = wave[(harmonic * row) % fourierSeason] ?? 0;
          return column;
        }),
      )
  );
}
