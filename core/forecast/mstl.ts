import type { ForecastMember, MemberForecast } from './members.js';
import { quietDemand } from './quietDemand.js';
import { logScale } from './scale.js';

/** Seasons and trend taken apart by LOESS, the trend continued by exponential smoothing: values in, values out. */
export interface MstlEngine {
  fitPredict(values: readonly number[], seasons: readonly number[], horizonSteps: number): MemberForecast;
}

/** MSTL on log demand with every season that lies twice in the history. Events are taken out before and put in after. */
export function mstl(engine: MstlEngine, seasons: readonly number[]): ForecastMember {
  return {
    name: 'mstl',
    forecast({ values }, horizonSteps, regressors) {
      const usable = seasons.filter((season) => season * 2 <= values.length);
      if (usable.length === 0) return { ok: false, reason: 'the history is shorter than two seasons' };
      const quiet = quietDemand(values, usable.at(-1) ?? 1, regressors);
      const scale = logScale(quiet.values);
      const scaled = quiet.values.map((value) => scale.to(value));
      const result = engine.fitPredict(scaled, usable, horizonSteps);
      if (!result.ok) return result;
      return {
        ok: true,
        mean: result.mean.map((value, step) => Math.max(0, scale.from(value)) * quiet.factorAhead(step)),
      };
    },
  };
}
