import type { Regressor } from './members.js';
import { mean } from './series.js';

/** Observed steps at which a learned effect counts half; fewer pull it towards "no effect". */
const HALF_WEIGHT_STEPS = 4;
/** Part of the mean that is added before ratios are taken, so that a quiet night does not make a huge one. */
const FLOOR_SHARE = 0.05;

/**
 * Effect of each regressor on demand, as a logarithm of a factor: the mean ratio of the steps it covers to the same
 * steps one season earlier and later that no event covers.
 */
export function learnEffects(values: readonly number[], season: number, regressors: readonly Regressor[]): number[] {
  const floor = FLOOR_SHARE * mean(values);
  const isQuiet = (index: number): boolean => regressors.every((regressor) => (regressor.train[index] ?? 0) === 0);
  return regressors.map((regressor) => {
    const logs: number[] = [];
    for (const [index, share] of regressor.train.entries()) {
      if (share < 0.5) continue;
      const others = [index - season, index + season].filter((at) => values[at] !== undefined && isQuiet(at));
      const usual = mean(others.map((at) => values[at] ?? 0)) + floor;
      if (others.length > 0 && usual > 0) logs.push(Math.log(((values[index] ?? 0) + floor) / usual) / share);
    }
    return mean(logs) * (logs.length / (logs.length + HALF_WEIGHT_STEPS));
  });
}

/** Factor on demand of all regressors together at one step. */
export function effectFactor(effects: readonly number[], shares: readonly number[]): number {
  return Math.exp(effects.reduce((sum, effect, index) => sum + effect * (shares[index] ?? 0), 0));
}
