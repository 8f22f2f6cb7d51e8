import type { ForecastPaths } from './forecastPaths.js';
import type { QuantileName } from './region.js';

export const QUANTILES = ['p50', 'p80', 'p90', 'p95', 'p99'] as const satisfies readonly QuantileName[];

/** How far a forecast can be trusted, earned in back-tests. `low` may raise but never lower; `none` applies nothing. */
export type Trust = 'high' | 'fair' | 'low' | 'none';

/** Requests per second by service and step, as quantiles. The shape `psmg forecast --format json` prints. */
export interface DemandForecast {
  series: readonly ForecastSeries[];
  /** What was repaired in the history or left out of the forecast, in words. */
  notes: readonly string[];
  /** How demand of the services moves together, from which sample paths are drawn; absent in forecasts made by hand. */
  joint?: ForecastPaths;
  /** What the forecast had to do without, such as a source of events that is down: worth a person's look. */
  degraded?: readonly string[];
}

export interface ForecastSeries {
  service: string;
  /** ISO 8601 duration-like text as given on the command line: `1h`, `5m`. */
  step: string;
  models: readonly {
    name: string;
    weight: number;
    /** Mean absolute scaled error over the back-test. */ mase: number;
  }[];
  trust: Trust;
  /** Error and coverage of the back-test as one number, 0 to 1; 0 where there was none. */
  trustScore?: number;
  /** Why the trust is what it is, in words. */
  trustReason: string;
  /** Level, trend, seasons, events and what changed since the last forecast, in sentences. */
  explanation?: readonly string[];
  /** ISO 8601, UTC, one a step of the horizon. */
  timestamps: readonly string[];
  /** rps, one a step; p50 ≤ p80 ≤ p90 ≤ p95 ≤ p99 at each. */
  quantiles: Readonly<Record<QuantileName, readonly number[]>>;
}

const TRUST_ORDER: readonly Trust[] = ['none', 'low', 'fair', 'high'];

/** The lower of two. */
export function lessTrust(a: Trust, b: Trust): Trust {
  return TRUST_ORDER.indexOf(a) < TRUST_ORDER.indexOf(b) ? a : b;
}

/** A forecast is trusted as far as its least trusted series; one without series not at all. */
export function lowestTrust(forecast: DemandForecast): Trust {
  return TRUST_ORDER.find((trust) => forecast.series.some((series) => series.trust === trust)) ?? 'none';
}
