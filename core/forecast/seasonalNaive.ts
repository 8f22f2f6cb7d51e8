import { effectFactor, learnEffects } from './effects.js';
import type { ForecastMember } from './members.js';

/**
 * Tomorrow is as the same step of the last season was: the longest season that lies twice in the history, else the
 * longest that lies in it once. Events are taken out of the season that is repeated and put in where they come.
 */
export function seasonalNaive(seasons: readonly number[]): ForecastMember {
  return {
    name: 'seasonal-naive',
    forecast({ values }, horizonSteps, regressors) {
      const fits = (times: number): number | undefined => seasons.findLast((season) => season * times <= values.length);
      const season = fits(2) ?? fits(1);
      if (season === undefined) return { ok: false, reason: 'the history is shorter than one season' };
      const effects = learnEffects(values, season, regressors);
      const from = values.length - season;
      const mean = Array.from({ length: horizonSteps }, (_, step) => {
        const source = from + (step % season);
        const past = effectFactor(
          effects,
          regressors.map((regressor) => regressor.train[source] ?? 0),
        );
        const ahead = effectFactor(
          effects,
          regressors.map((regressor) => regressor.future[step] ?? 0),
        );
        return ((values[source] ?? 0) / past) * ahead;
      });
      return { ok: true, mean };
    },
  };
}
