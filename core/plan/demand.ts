import type { DemandForecast, ForecastSeries, Trust } from '../spec/forecast.js';
import { lessTrust } from '../spec/forecast.js';
import type { ServiceGraph } from '../spec/graph.js';
import type { MeshPlan } from '../spec/plan.js';
import { ok, refused } from '../spec/problem.js';
import type { Problem, Result } from '../spec/problem.js';
import type { QuantileName, RegionSpec } from '../spec/region.js';
import type { ForecastPaths } from '../spec/forecastPaths.js';
import { combinePaths, expandPaths, peakQuantile } from '../forecast/calibration/paths.js';
import { LEVEL } from '../forecast/calibration/quantiles.js';
import { callsByEntry, propagateDemand, reachable } from '../graph/propagate.js';

export interface ServiceDemand {
  rps: number;
  /** The worst of the entries whose requests reach the service. */
  trust: Trust;
  /** Where the number is from, in words. */
  source: string;
}

export interface RegionDemand {
  from: string;
  to: string;
  byService: Readonly<Record<string, ServiceDemand>>;
  warnings: readonly string[];
}

/**
 * The demand to plan for: the chosen quantile of the highest demand within the horizon, over the joint sample paths of
 * all entries carried through the graph (a forecast made by hand has none: then the highest step of each entry's
 * quantile), as if every request were answered here, which is the most that can come. A service with a forecast of its
 * own gets no less than that. With trust low nothing falls below `previous`; an entry without trust refuses the plan.
 */
export function regionDemand(input: {
  region: RegionSpec;
  forecast: DemandForecast;
  graph: ServiceGraph;
  previous?: MeshPlan;
}): Result<RegionDemand> {
  const { region, forecast, graph } = input;
  const quantile = region.forecast.demandQuantile;
  const series = new Map(forecast.series.map((one) => [one.service, one]));
  const entries = region.services.filter((service) => service.entry !== undefined).map((service) => service.name);
  const problems = entryProblems(entries, series, quantile);
  if (problems.length > 0) return refused(problems);
  const entryRps = Object.fromEntries(entries.map((name) => [name, peak(series.get(name), quantile)]));
  const propagated = propagateDemand(graph, entryRps);
  if (!propagated.ok) return propagated;
  const peaks = forecast.joint === undefined ? {} : jointPeaks(input, forecast.joint, entries);
  const warnings: string[] = [];
  const reach = new Map(entries.map((entry) => [entry, reachable(graph, entry)]));
  const byService = Object.fromEntries(
    region.services.map(({ name }) => {
      const callers = entries.filter((entry) => reach.get(entry)?.has(name) === true);
      const trusts = callers.map((entry) => series.get(entry)?.trust ?? 'none');
      const trust = trusts.reduce(lessTrust, 'high');
      const demand = {
        rps: peaks[name] ?? propagated.value[name] ?? 0,
        trust,
        source: sourceOf(name, entries, callers),
      };
      return [name, raise(name, demand, { own: series.get(name), entries, quantile, warnings, ...input })];
    }),
  );
  return ok({ ...horizon(forecast), byService, warnings });
}

function entryProblems(
  entries: readonly string[],
  series: Map<string, ForecastSeries>,
  quantile: QuantileName,
): Problem[] {
  if (entries.length === 0) {
    const fix = 'give the service that users reach "entry: {pathPrefix: /}"';
    return [
      { code: 'entry-missing', field: 'services', message: 'no service has an entry: nothing brings demand', fix },
    ];
  }
  return entries.flatMap((name): Problem[] => {
    const one = series.get(name);
    const field = `forecast.${name}`;
    if (one === undefined || one.quantiles[quantile].length === 0) {
      const message = `has no ${quantile} forecast, and requests enter there`;
      return [{ code: 'forecast-missing', field, message, fix: `add history of ${name}` }];
    }
    if (one.trust === 'none') {
      const message = `the forecast is not to be trusted (${one.trustReason}): nothing is planned on it`;
      return [{ code: 'trust-none', field, message, fix: 'give more or better history, or state the demand by hand' }];
    }
    return [];
  });
}

function peak(series: ForecastSeries | undefined, quantile: QuantileName): number {
  return Math.max(0, ...(series?.quantiles[quantile] ?? []));
}

/**
 * Peaks along the graph: neither the highest of an hour's quantiles nor their sum over callers is the quantile of what
 * comes at once.
 */
function jointPeaks(
  { region, forecast, graph }: { region: RegionSpec; forecast: DemandForecast; graph: ServiceGraph },
  joint: ForecastPaths,
  entries: readonly string[],
): Readonly<Record<string, number>> {
  const level = LEVEL[region.forecast.demandQuantile];
  const paths = new Map(
    forecast.series
      .filter((one) => entries.includes(one.service))
      .map((one) => [one.service, expandPaths(joint, one.service, one.quantiles)]),
  );
  const calls = callsByEntry(graph, entries);
  return Object.fromEntries(
    [...calls].map(([service, weights]) => {
      const together = combinePaths(paths, weights);
      return [service, peakQuantile(together, 0, together.steps, level)];
    }),
  );
}

function sourceOf(name: string, entries: readonly string[], callers: readonly string[]): string {
  if (entries.includes(name)) return 'requests from outside';
  return callers.length > 0 ? `calls that follow from requests to ${callers.join(', ')}` : 'no calls by the graph';
}

function raise(
  name: string,
  demand: ServiceDemand,
  context: {
    own: ForecastSeries | undefined;
    entries: readonly string[];
    quantile: QuantileName;
    warnings: string[];
    previous?: MeshPlan;
  },
): ServiceDemand {
  const { own, quantile, warnings } = context;
  const ownRps = own === undefined || context.entries.includes(name) || own.trust === 'none' ? 0 : peak(own, quantile);
  let result = demand;
  if (ownRps > demand.rps) {
    warnings.push(
      `${name}: its own forecast of ${round(ownRps)} rps is above the ${round(demand.rps)} rps that the graph brings; the larger is planned for`,
    );
    result = { rps: ownRps, trust: lessTrust(demand.trust, own?.trust ?? demand.trust), source: 'its own forecast' };
  }
  const before = context.previous?.windows.map(
    (window) => window.services.find((s) => s.service === name)?.demand.rps ?? 0,
  );
  const previousRps = Math.max(0, ...(before ?? []));
  if (result.trust !== 'low' || previousRps <= result.rps) return result;
  warnings.push(
    `${name}: a forecast of low trust may raise demand, not lower it: ${round(previousRps)} rps stay planned for`,
  );
  return { ...result, rps: previousRps, source: 'the plan before, as a forecast of low trust lowers nothing' };
}

/** First step to the end of the last. A single step has no length to read, so it ends where it begins. */
function horizon(forecast: DemandForecast): { from: string; to: string } {
  const times = forecast.series.flatMap((one) => one.timestamps.map((text) => Date.parse(text))).sort((a, b) => a - b);
  const first = times[0] ?? 0;
  const last = times.at(-1) ?? first;
  const second = times.find((time) => time > first) ?? first;
  return { from: new Date(first).toISOString(), to: new Date(last + (second - first)).toISOString() };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
