import { mean } from '../../core/forecast/series.js';
import type { ForecastSeries } from '../../core/spec/forecast.js';
import { costRegret } from './costRegret.js';

/** All without units, but sMAPE in percent. */
export interface Score {
  mase: number;
  smape: number;
  wql50: number;
  wql90: number;
  wql99: number;
  covered90: number;
  covered99: number;
  regret: number;
}

export interface Scored {
  history: readonly number[];
  actual: readonly number[];
  quantiles: ForecastSeries['quantiles'];
  /** The forecast that MASE and sMAPE judge, one value a step. */
  point: readonly number[];
  /** Lag of MASE's scale, steps. */
  maseSeason: number;
}

/**
 * Scores of one forecast. MASE has the whole history before it for its scale; where that never changed, the scale is
 * the mean of the history, so that the score stays finite.
 */
export function scoreOf({ history, actual, quantiles, point, maseSeason }: Scored): Score {
  const errors = actual.map((value, step) => Math.abs(value - (point[step] ?? 0)));
  const apart = actual.map((value, step) => {
    const size = Math.abs(value) + Math.abs(point[step] ?? 0);
    return size > 0 ? (200 * (errors[step] ?? 0)) / size : 0;
  });
  const covered = (level: readonly number[]): number =>
    mean(actual.map((value, step) => (value <= (level[step] ?? 0) ? 1 : 0)));
  return {
    mase: mean(errors) / maseScale(history, maseSeason),
    smape: mean(apart),
    wql50: quantileLoss(actual, quantiles.p50, 0.5),
    wql90: quantileLoss(actual, quantiles.p90, 0.9),
    wql99: quantileLoss(actual, quantiles.p99, 0.99),
    covered90: covered(quantiles.p90),
    covered99: covered(quantiles.p99),
    regret: costRegret(actual, quantiles, mean(history)),
  };
}

function maseScale(history: readonly number[], season: number): number {
  const naive = history.slice(season).map((value, index) => Math.abs(value - (history[index] ?? Number.NaN)));
  return mean(naive) || mean(history) || 1;
}

/** Twice the pinball loss as a share of what came. */
export function quantileLoss(actual: readonly number[], forecast: readonly number[], level: number): number {
  const loss = actual.map((value, step) => {
    const short = value - (forecast[step] ?? 0);
    return Math.max(level * short, (level - 1) * short);
  });
  const total = actual.reduce((sum, value) => sum + Math.abs(value), 0);
  return total > 0 ? (2 * loss.reduce((sum, value) => sum + value, 0)) / total : 0;
}

export function meanScore(scores: readonly Score[]): Score {
  const of = (name: keyof Score): number => mean(scores.map((score) => score[name]));
  return {
    mase: of('mase'),
    smape: of('smape'),
    wql50: of('wql50'),
    wql90: of('wql90'),
    wql99: of('wql99'),
    covered90: of('covered90'),
    covered99: of('covered99'),
    regret: of('regret'),
  };
}
