import { effectFactor, learnEffects } from './effects.js';
import type { Regressor } from './members.js';

/** A history as it would have been without its events, and what they do to each step ahead. */
export interface QuietDemand {
  values: readonly number[];
  /** Factor on demand of the events at a step of the horizon. */
  factorAhead(step: number): number;
}

/** For members that know no regressors of their own: events are taken out before, and put in where they come. */
export function quietDemand(values: readonly number[], season: number, known: readonly Regressor[]): QuietDemand {
  const regressors = known.filter(({ kind }) => kind === 'event');
  const effects = learnEffects(values, season, regressors);
  const factor = (part: 'train' | 'future', step: number): number =>
    effectFactor(
      effects,
      regressors.map((regressor) => regressor[part][step] ?? 0),
    );
  return {
    values: regressors.length === 0 ? values : values.map((value, step) => value / factor('train', step)),
    factorAhead: (step) => factor('future', step),
  };
}
