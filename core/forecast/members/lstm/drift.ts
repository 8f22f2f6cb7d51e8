import { median } from '../../series.js';
import type { LstmModel } from './model.js';

/** Error of recent forecasts, in times of the validation error, beyond which the region has changed. */
const DRIFT_TIMES = 1.5;
/** Services, or days, whose error must be known before it is judged: one that went wrong is no drift. */
const LEAST_ERRORS = 5;
/** Older than so many of its longest season, a network has missed what is new. */
const MOST_SEASONS_OLD = 4;

export type Retraining = { needed: true; reason: string } | { needed: false };

/**
 * Whether a network should be trained anew, from the errors of its newest forecasts: each the mean absolute error of one
 * service over one horizon, in units of the seasonal naive's (MASE). `nowMs`: end of the newest data.
 */
export function needsRetraining(model: LstmModel, recentMases: readonly number[], nowMs: number): Retraining {
  const longestMs = (model.seasons.at(-1) ?? 1) * model.stepSeconds * 1000;
  const seasonsOld = (nowMs - model.current.untilMs) / longestMs;
  if (seasonsOld > MOST_SEASONS_OLD) {
    return { needed: true, reason: `it has not seen the last ${Math.floor(seasonsOld)} of its longest season` };
  }
  const errorsKnown = recentMases.filter(Number.isFinite);
  const recent = median(errorsKnown);
  if (errorsKnown.length < LEAST_ERRORS || recent <= DRIFT_TIMES * model.validationMase) return { needed: false };
  const errors = `${recent.toFixed(2)}, where it was ${model.validationMase.toFixed(2)} in validation`;
  return { needed: true, reason: `its recent MASE is ${errors}` };
}
