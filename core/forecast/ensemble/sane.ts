import { median } from '../series.js';

// Taken once: in a context of their own, as tests have, every use of a global is a look-up.
const { max } = Math;

/** A forecast this far above anything seen is a diverged fit. */
const MAX_OVER_HISTORY = 10;

/** Why a forecast cannot be meant, judged by the history it was made from; `null`: nothing is wrong with it. */
export function whyInsane(history: readonly number[], forecast: readonly number[]): string | null {
  if (!forecast.every(Number.isFinite)) return 'its forecast is not finite';
  if (forecast.some((value) => value < 0)) return 'its forecast is negative';
  const most = MAX_OVER_HISTORY * history.reduce((top, value) => max(top, value), 0);
  if (forecast.some((value) => value > most)) return `its forecast goes beyond ${MAX_OVER_HISTORY} times the history`;
  return null;
}

/** The middle of several forecasts, step by step, of those alone that can be meant; or why there is none. */
export function middleOf(
  history: readonly number[],
  forecasts: readonly (readonly number[])[],
): { ok: true; mean: readonly number[] } | { ok: false; reason: string } {
  const sane = forecasts.filter((forecast) => whyInsane(history, forecast) === null);
  const [first] = sane;
  if (first === undefined) {
    const reason = forecasts[0] === undefined ? null : whyInsane(history, forecasts[0]);
    return { ok: false, reason: reason ?? 'the history is too short' };
  }
  return { ok: true, mean: first.map((_, step) => median(sane.map((forecast) => forecast[step] ?? 0))) };
}
