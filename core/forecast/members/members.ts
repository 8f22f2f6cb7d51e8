import type { Series } from '../series.js';

/** What is known of every step, past and ahead: any measured quantity, such as a temperature, in its own unit. */
export interface Regressor {
  name: string;
  train: readonly number[];
  future: readonly number[];
}

/** Values of one regressor over history and horizon: `values[i]` belongs to the step that index `i` of the history is. */
export interface KnownSeries {
  name: string;
  values: readonly number[];
}

/**
 * Mean demand of each step ahead, rps; or why there is none. Its quantiles are earned in back-tests, not claimed.
 * `learned`: what need not be searched for again on a slightly longer history, in the member's own writing.
 */
export type MemberForecast = { ok: true; mean: readonly number[]; learned?: string } | { ok: false; reason: string };

/**
 * One way to forecast. Deterministic: the same input and seed give the same numbers. Events are none of its business:
 * the history that it is given is without them, and so is its forecast.
 */
export interface ForecastMember {
  readonly name: string;
  /** A fit takes tens of milliseconds or more: worth giving up early where it does not pay. */
  readonly costly?: boolean;
  /** Most steps of history that it makes use of; absent: `trainSteps` of the back-test. */
  readonly historySteps?: number;
  /** `learned` is what an earlier forecast of the same service gave; what cannot be read is searched for anew. */
  forecast(
    train: Series,
    horizonSteps: number,
    regressors: readonly Regressor[],
    seed: number,
    learned?: string,
  ): MemberForecast;
}

export const MODEL_NAMES = [
  'arima',
  'boosted-trees',
  'lag-regression',
  'lstm',
  'mstl',
  'prophet',
  'seasonal-naive',
  'short-naive',
] as const;
export type ModelName = (typeof MODEL_NAMES)[number];
