import { ridge } from './leastSquares.js';
import type { ForecastMember } from './members.js';
import { middleOf } from '../ensemble/sane.js';
import { linearScale, logScale } from './scale.js';
import { mean } from '../series.js';
import { valueEffect } from './valueEffects.js';

/** Weight of the ridge, on values in units of their mean: enough to keep near-equal lags from fighting. */
const RIDGE = 0.01;
/** Rows that each lag must be learned from; longer lags are left out first. */
const ROWS_PER_LAG = 6;

/**
 * Linear regression of demand on its own earlier steps, the last ones and those about one and two seasons ago, each
 * step ahead feeding the next. Learned on levels and on changes (to the step before, to a season before), on a log and
 * on a linear scale; the middle of these views is the forecast, since no single one is good on all kinds of demand.
 * What measured regressors do is taken out before and put in where they come.
 */
export function lagRegression(seasons: readonly number[]): ForecastMember {
  return {
    name: 'lag-regression',
    forecast({ values }, horizonSteps, regressors) {
      const usable = seasons.filter((season) => season * 2 <= values.length);
      if (usable.length === 0) return { ok: false, reason: 'the history is shorter than two seasons' };
      const scales = [logScale, linearScale].map((scaleOf) => {
        const scale = scaleOf(values);
        const scaled = values.map((value) => scale.to(value));
        const effect = valueEffect(values, scale, regressors, usable, horizonSteps);
        return { scale, effect, calm: scaled.map((value, step) => value - (effect[step] ?? 0)) };
      });
      const views = [0, 1, ...usable].flatMap((lag) =>
        scales.map(({ scale, effect, calm }) =>
          continued(calm, lag, usable, horizonSteps).map((value, step) =>
            Math.max(0, scale.from(value + (effect[values.length + step] ?? 0))),
          ),
        ),
      );
      return middleOf(values, views);
    },
  };
}

/** The next steps of a series by regression on its changes over `differenced` steps (0: on its levels). */
function continued(
  series: readonly number[],
  differenced: number,
  seasons: readonly number[],
  horizonSteps: number,
): number[] {
  if (differenced === 0) return recursed(series, seasons, horizonSteps);
  const changes = series.slice(differenced).map((value, index) => value - (series[index] ?? 0));
  const levels = [...series];
  for (const change of recursed(changes, seasons, horizonSteps)) levels.push(change + (levels.at(-differenced) ?? 0));
  return levels.slice(series.length);
}

function recursed(series: readonly number[], seasons: readonly number[], horizonSteps: number): number[] {
  const middle = mean(series);
  const values = series.map((value) => value - middle);
  const lags = lagsOf(seasons).filter((lag, index) => values.length - lag >= ROWS_PER_LAG * (index + 2));
  const from = lags.at(-1) ?? 0;
  const rows = values.length - from;
  const columns = [0, ...lags].map((lag) =>
    lag === 0 ? new Float64Array(rows).fill(1) : Float64Array.from(values.slice(from - lag, from - lag + rows)),
  );
  const penalties = columns.map(() => RIDGE);
  const [drift = 0, ...weights] = ridge(columns, Float64Array.from(values.slice(from)), 0, penalties);
  for (let step = 0; step < horizonSteps; step++) {
    const at = values.length;
    values.push(lags.reduce((sum, lag, index) => sum + (weights[index] ?? 0) * (values[at - lag] ?? 0), drift));
  }
  return values.slice(series.length).map((value) => value + middle);
}

function lagsOf(seasons: readonly number[]): number[] {
  const shortest = seasons[0] ?? 1;
  const longest = seasons.at(-1) ?? 1;
  const around = (lag: number): number[] => [lag - 1, lag, lag + 1];
  const days = [3, 4, 5, 6].map((times) => times * shortest).filter((lag) => lag < longest);
  const seasonal = seasons.flatMap((season) => [...around(season), ...around(2 * season)]);
  return [...new Set([1, 2, 3, 4, ...days, ...seasonal])].filter((lag) => lag > 0).sort((a, b) => a - b);
}
