import { mean } from '../../core/forecast/series.js';
import type { ForecastSeries } from '../../core/spec/forecast.js';

export interface Score {
  mase: number;
  smape: number;
  wql50: number;
  wql90: number;
  wql99: number;
  covered90: number;
  covered99: number;
}

/** Season of MASE, in steps. */
const MASE_SEASON = 24;

/** Scores of one forecast; the middle one of its quantiles (p50) is its point forecast. sMAPE in percent. */
export function scoreOf(
  history: readonly number[],
  actual: readonly number[],
  quantiles: ForecastSeries['quantiles'],
): Score {
  const { p50, p90, p99 } = quantiles;
  const errors = actual.map((value, step) => Math.abs(value - (p50[step] ?? 0)));
  const scale = mean(
    history.slice(MASE_SEASON).map((value, index) => Math.abs(value - (history[index] ?? Number.NaN))),
  );
  const apart = actual.map((value, step) => {
    const size = Math.abs(value) + Math.abs(p50[step] ?? 0);
    return size > 0 ? (200 * (errors[step] ?? 0)) / size : 0;
  });
  const covered = (level: readonly number[]): number =>
    mean(actual.map((value, step) => (value <= (level[step] ?? 0) ? 1 : 0)));
  return {
    mase: mean(errors) / scale,
    smape: mean(apart),
    wql50: quantileLoss(actual, p50, 0.5),
    wql90: quantileLoss(actual, p90, 0.9),
    wql99: quantileLoss(actual, p99, 0.99),
    covered90: covered(p90),
    covered99: covered(p99),
  };
}

/** Twice the pinball loss as a share of what came. */
function quantileLoss(actual: readonly number[], forecast: readonly number[], level: number): number {
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
  };
}
