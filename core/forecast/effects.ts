import type { Regressor } from './members.js';
import { mean } from './series.js';

/** Observed steps at which a learned effect counts half; fewer pull it towards "no effect". */
const HALF_WEIGHT_STEPS = 4;
/**
 * Effect of each regressor on demand, as a logarithm of a factor: demand of the steps it covers against
 * the same steps one season earlier and later that no event covers. Sums, not ratios, are compared: a quiet night
 * says little, and its ratio would say it loudest.
 */
export function learnEffects(values: readonly number[], season: number, regressors: readonly Regressor[]): number[] {
  const isQuiet = (index: number): boolean => regressors.every((regressor) => (regressor.train[index] ?? 0) === 0);
  return regressors.map((regressor) => {
    let steps = 0;
    let came = 0;
    let usual = 0;
    for (const [index, share] of regressor.train.entries()) {
      if (share < 0.5) continue;
      const others = [index - season, index + season].filter((at) => values[at] !== undefined && isQuiet(at));
      if (others.length === 0) continue;
      steps++;
      came += values[index] ?? 0;
      usual += mean(others.map((at) => values[at] ?? 0));
    }
    const effect = came > 0 && usual > 0 ? Math.log(came / usual) : 0;
    return effect * (steps / (steps + HALF_WEIGHT_STEPS));
  });
}

/** Factor on demand of all regressors together at one step. */
export function effectFactor(effects: readonly number[], shares: readonly number[]): number {
  return Math.exp(effects.reduce((sum, effect, index) => sum + effect * (shares[index] ?? 0), 0));
}
