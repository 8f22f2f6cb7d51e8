import { mean } from '../../series.js';
import type { LearnedRegressor } from './inputs.js';
import type { LstmService } from './training.js';

/** Farthest that a value goes from its mean, in standard deviations. */
const MOST_DEVIATIONS = 6;

/** How each regressor that any of the services has is brought to a common size; by name, so that order is none. */
export function learnedRegressors(services: readonly LstmService[]): LearnedRegressor[] {
  const all = services.flatMap(({ regressors }) => regressors);
  const names = [...new Set(all.map(({ name }) => name))].sort();
  return names.map((name): LearnedRegressor => {
    const own = all.filter((regressor) => regressor.name === name);
    const middle = mean(own.map(({ train }) => mean(train)));
    const square = mean(own.map(({ train }) => mean(train.map((value) => (value - middle) ** 2))));
    return { name, mean: middle, deviation: Math.sqrt(square) || 1 };
  });
}

/** Values of the regressors that a network knows, by name; one that is not given is at its mean. */
export function standardised(
  regressors: readonly LearnedRegressor[],
  given: readonly { name: string; values: readonly number[] }[],
): Float64Array[] {
  return regressors.map(({ name, mean: middle, deviation }) => {
    const own = given.find((candidate) => candidate.name === name);
    return Float64Array.from(own?.values ?? [], (value) =>
      Math.min(MOST_DEVIATIONS, Math.max(-MOST_DEVIATIONS, (value - middle) / deviation)),
    );
  });
}
