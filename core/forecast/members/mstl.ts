import type { ForecastMember, MemberForecast } from './members.js';
import { logScale } from './scale.js';
import { valueEffect } from './valueEffects.js';

/** Seasons and trend taken apart by LOESS, the trend continued by exponential smoothing: values in, values out. */
export interface MstlEngine {
  fitPredict(values: readonly number[], seasons: readonly number[], horizonSteps: number): MemberForecast;
}

/**
 * MSTL on log demand with every season that lies twice in the history. What measured values do is taken out before and
 * put in after.
 */
export function mstl(engine: MstlEngine, seasons: readonly number[]): ForecastMember {
  return {
    name: 'mstl',
    forecast({ values }, horizonSteps, regressors) {
      const usable = seasons.filter((season) => season * 2 <= values.length);
      if (usable.length === 0) return { ok: false, reason: 'the history is shorter than two seasons' };
      const scale = logScale(values);
      const effect = valueEffect(values, scale, regressors, usable, horizonSteps);
      const scaled = values.map((value, step) => scale.to(value) - (effect[step] ?? 0));
      const result = engine.fitPredict(scaled, usable, horizonSteps);
      if (!result.ok) return result;
      return {
        ok: true,
        mean: result.mean.map((value, step) => Math.max(0, scale.from(value + (effect[values.length + step] ?? 0)))),
      };
    },
  };
}
