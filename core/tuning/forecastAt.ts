import { QUANTILES } from '../spec/forecast.js';
import type { DemandForecast, ForecastSeries } from '../spec/forecast.js';
import type { QuantileName } from '../spec/region.js';
import type { DemandQuantiles } from './types.js';

const STEP_UNITS_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/**
 * Demand forecast for a service at a moment of demand time (milliseconds since the epoch). A step holds from its
 * timestamp to the next; `null` before the first, after the last, and for an unknown service.
 */
export function forecastAt(
  forecast: DemandForecast,
  service: string,
  demandTimeMs: number,
): (DemandQuantiles & { trust: ForecastSeries['trust'] }) | null {
  const series = forecast.series.find((s) => s.service === service);
  if (series === undefined) return null;
  const starts = series.timestamps.map((text) => Date.parse(text));
  const index = starts.findLastIndex((start) => start <= demandTimeMs);
  const start = starts[index];
  if (start === undefined || demandTimeMs >= start + stepMs(series, starts)) return null;
  const at = (name: QuantileName): number => series.quantiles[name][index] ?? Number.NaN;
  const quantiles = Object.fromEntries(QUANTILES.map((name) => [name, at(name)])) as Record<QuantileName, number>;
  if (Object.values(quantiles).some((value) => !Number.isFinite(value))) return null;
  return { ...quantiles, trust: series.trust };
}

function stepMs(series: ForecastSeries, starts: readonly number[]): number {
  const [first, second] = starts;
  if (first !== undefined && second !== undefined) return second - first;
  const match = /^(\d+)([smhd])$/.exec(series.step);
  return match === null ? 0 : Number(match[1]) * (STEP_UNITS_MS[match[2] ?? ''] ?? 0);
}

export interface ForecastError {
  actualRps: number;
  forecastRps: number;
  /** Actual − forecast median. */
  errorRps: number;
  /** Error over the median; `null` when the median is zero. */
  relative: number | null;
  /** Smallest quantile that was not exceeded; `above` when even p99 was. */
  within: QuantileName | 'above';
}

/** How far the demand that came (requests per second) was from the forecast for the same moment. */
export function forecastError(quantiles: DemandQuantiles, actualRps: number): ForecastError {
  const errorRps = actualRps - quantiles.p50;
  return {
    actualRps,
    forecastRps: quantiles.p50,
    errorRps,
    relative: quantiles.p50 === 0 ? null : errorRps / quantiles.p50,
    within: QUANTILES.find((name) => actualRps <= quantiles[name]) ?? 'above',
  };
}
