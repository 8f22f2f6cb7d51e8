import type { ForecastComparison, Observation } from '../spec/observation.js';
import { forecastError } from './forecastAt.js';
import type { DemandQuantiles } from './types.js';

/** The record with what was forecast for the same moment (requests per second of the whole region, by service). */
export function withForecast(observation: Observation, expected: ReadonlyMap<string, DemandQuantiles>): Observation {
  const services = observation.services.map((seen) => {
    const demand = expected.get(seen.service);
    return demand === undefined ? seen : { ...seen, forecast: compare(demand, seen.rps) };
  });
  return { ...observation, services };
}

function compare(demand: DemandQuantiles, rps: number): ForecastComparison {
  const { relative } = forecastError(demand, rps);
  return { p50Rps: demand.p50, p95Rps: demand.p95, relativeError: relative, aboveP95: rps > demand.p95 };
}
