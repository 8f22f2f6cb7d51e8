import { mean } from '../../core/forecast/series.js';
import type { ForecastSeries } from '../../core/spec/forecast.js';

/** Critical ratios: how sure a service wants to be that its capacity suffices. */
const RATIOS = { p80: 0.8, p90: 0.9, p95: 0.95, p99: 0.99 } as const;

/**
 * What a forecast would have cost a buyer of capacity, beyond what a clairvoyant pays (the newsvendor's regret).
 *
 * For each critical ratio r the buyer takes as capacity of each step the forecast's quantile at r. One unit of
 * capacity that idles for a step costs 1; one unit of demand that finds none costs r / (1 − r), the price at which
 * that quantile is the best buy. A clairvoyant buys exactly what comes and has neither, so the regret is the cost itself.
 *
 * `actual` and `quantiles`: one value a step, in the same unit (rps); `meanDemand`: in that unit, positive. Returns the
 * mean over steps and the four ratios in units of the cost of idling for as much as the mean demand: 0 is clairvoyance,
 * 0.2 is as dear as a fifth of the mean demand standing idle all the time.
 */
export function costRegret(
  actual: readonly number[],
  quantiles: ForecastSeries['quantiles'],
  meanDemand: number,
): number {
  const costs = (['p80', 'p90', 'p95', 'p99'] as const).map((name) => {
    const shortageCost = RATIOS[name] / (1 - RATIOS[name]);
    return mean(actual.map((demand, step) => costOf(demand, quantiles[name][step] ?? 0, shortageCost)));
  });
  return meanDemand > 0 ? mean(costs) / meanDemand : 0;
}

function costOf(demand: number, capacity: number, shortageCost: number): number {
  return capacity >= demand ? capacity - demand : shortageCost * (demand - capacity);
}
