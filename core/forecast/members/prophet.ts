import type { ForecastMember, MemberForecast, Regressor } from './members.js';
import { logScale } from './scale.js';
import { usualWorth, valueColumns } from './valueEffects.js';

/** A fitted Prophet model is one call: history and what is known ahead in, point forecasts out. Times in seconds. */
export interface ProphetEngine {
  fitPredict(request: ProphetRequest): MemberForecast;
}

export interface ProphetRequest {
  trainSeconds: readonly number[];
  train: readonly number[];
  futureSeconds: readonly number[];
  seasonalities: readonly ProphetSeasonality[];
  regressors: readonly ProphetRegressor[];
  changepoints: number;
  changepointPriorScale: number;
  seed: number;
}

export interface ProphetSeasonality {
  name: string;
  periodDays: number;
  fourierOrder: number;
  /** Steps at which the seasonality holds; absent: at all. */
  condition?: { name: string; train: readonly boolean[]; future: readonly boolean[] };
}

export interface ProphetRegressor {
  name: string;
  priorScale: number;
  train: readonly number[];
  future: readonly number[];
}

const DAY_SECONDS = 86_400;
const DAY_ORDER = 8;
const LONGER_ORDER = 3;
/** A stiff trend: over a few weeks of hourly demand a looser one follows the weather and then extrapolates it. */
const CHANGEPOINTS = 10;
const CHANGEPOINT_PRIOR = 0.01;
/** Of what one standard deviation of a measured regressor does, as a share of the largest transformed value. */
const VALUE_PRIOR = 0.1;
/**
 * Prophet on log1p of demand in units of its mean (so that the forecast scales with the data), a season for each
 * that lies twice in the history, weekdays and weekends (UTC) with a day of their own, measured values as regressors.
 */
export function prophet(engine: ProphetEngine, seasons: readonly number[]): ForecastMember {
  return {
    name: 'prophet',
    costly: true,
    forecast(train, horizonSteps, regressors, seed) {
      const usable = seasons.filter((season) => season * 2 <= train.values.length);
      if (usable.length === 0) return { ok: false, reason: 'the history is shorter than two seasons' };
      if (train.values.every((value) => value === 0)) {
        return { ok: true, mean: Array.from({ length: horizonSteps }, () => 0) };
      }
      const scale = logScale(train.values);
      const times = (length: number, from: number): number[] =>
        Array.from({ length }, (_, index) => (train.startMs + (from + index) * train.stepMs) / 1000);
      const trainSeconds = times(train.values.length, 0);
      const futureSeconds = times(horizonSteps, train.values.length);
      const result = engine.fitPredict({
        trainSeconds,
        train: train.values.map((value) => scale.to(value)),
        futureSeconds,
        seasonalities: seasonalitiesOf(usable, train.stepMs / 1000, trainSeconds, futureSeconds),
        regressors: regressorsOf(regressors, usable, usualWorth(train.values, usable.at(-1) ?? 1, scale)),
        changepoints: CHANGEPOINTS,
        changepointPriorScale: CHANGEPOINT_PRIOR,
        seed,
      });
      if (!result.ok) return result;
      return { ok: true, mean: result.mean.map((value) => Math.max(0, scale.from(value))) };
    },
  };
}

function regressorsOf(
  regressors: readonly Regressor[],
  seasons: readonly number[],
  worth: Float64Array,
): ProphetRegressor[] {
  const steps = regressors[0]?.train.length ?? 0;
  return valueColumns(regressors, seasons[0] ?? 1, worth).map((column, index) => ({
    name: `measured${index}`,
    train: [...column.subarray(0, steps)],
    future: [...column.subarray(steps)],
    priorScale: VALUE_PRIOR,
  }));
}

function seasonalitiesOf(
  seasons: readonly number[],
  stepSeconds: number,
  trainSeconds: readonly number[],
  futureSeconds: readonly number[],
): ProphetSeasonality[] {
  const hasWeek = seasons.some((season) => season * stepSeconds === 7 * DAY_SECONDS);
  return seasons.flatMap((season, index): ProphetSeasonality[] => {
    const periodDays = (season * stepSeconds) / DAY_SECONDS;
    const fourierOrder = Math.min(index === 0 ? DAY_ORDER : LONGER_ORDER, Math.max(1, Math.floor((season - 1) / 2)));
    const name = `season${season}`;
    if (periodDays !== 1 || !hasWeek) return [{ name, periodDays, fourierOrder }];
    return [false, true].map((onWeekend) => {
      const holds = (seconds: readonly number[]): boolean[] => seconds.map((at) => isWeekend(at) === onWeekend);
      const condition = {
        name: onWeekend ? 'weekend' : 'weekday',
        train: holds(trainSeconds),
        future: holds(futureSeconds),
      };
      return { name: `${name}-${condition.name}`, periodDays, fourierOrder, condition };
    });
  });
}

function isWeekend(seconds: number): boolean {
  // The epoch was a Thursday.
  const day = (Math.floor(seconds / DAY_SECONDS) + 4) % 7;
  return day === 0 || day === 6;
}
