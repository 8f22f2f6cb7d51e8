import type { DemandForecast, ForecastSeries, Trust } from '../spec/forecast.js';
import { lessTrust, QUANTILES } from '../spec/forecast.js';
import type { ServiceGraph } from '../spec/graph.js';
import type { MeshPlan } from '../spec/plan.js';
import { ok, refused } from '../spec/problem.js';
import type { Problem, Result } from '../spec/problem.js';
import type { QuantileName, RegionSpec } from '../spec/region.js';
import { combinePaths, expandPaths, peakQuantile } from '../forecast/calibration/paths.js';
import type { DemandPaths } from '../forecast/calibration/paths.js';
import { LEVEL } from '../forecast/calibration/quantiles.js';
import { callsByEntry, propagateDemand } from '../graph/propagate.js';
import type { PeakFactor } from './capacity/peakFactor.js';
import { burstOf } from './peaks.js';
import type { Burst } from './peaks.js';
import type { WindowSpan } from './windows.js';
import { oneDecimal } from '../spec/oneDecimal.js';

/** A sentence names no more entries than this. */
const NAMED_CALLERS = 5;

export interface ServiceDemand {
  /** One a window. */
  rps: readonly number[];
  /** Of `rps`, what comes from callers that the graph does not know; one a window. */
  unexplainedRps: readonly number[];
  /** The worst of the entries whose requests reach the service. */
  trust: Trust;
  /** Where the number is from, in words. */
  source: string;
  /** Quantile level that the demand is planned for, and the name of the nearest one at or above it. */
  level: number;
  quantile: QuantileName;
}

export interface RegionDemand {
  byService: ReadonlyMap<string, ServiceDemand>;
  /** Requests from outside as they are to be expected, by entry and window: the mean of the medians, rps. */
  outsideRps: ReadonlyMap<string, readonly number[]>;
  /** The same carried through the graph, by service and window. */
  typicalRps: ReadonlyMap<string, readonly number[]>;
  warnings: readonly string[];
}

export interface DemandInput {
  region: RegionSpec;
  forecast: DemandForecast;
  graph: ServiceGraph;
  windows: readonly WindowSpan[];
  /** Quantile level by service; absent: `forecast.demandQuantile`. */
  levels?: ReadonlyMap<string, number>;
  previous?: MeshPlan;
  /** How far the busiest second is above its step, by service. */
  peaks?: ReadonlyMap<string, PeakFactor>;
}

/**
 * The demand to plan for, window by window: the chosen quantile of the highest demand within the window and its lead,
 * over the joint sample paths of all entries carried through the graph (a forecast made by hand has none: then the
 * highest step of each entry's quantile), as if every request were answered here, which is the most that can come. A
 * service with a forecast of its own gets no less than that. With trust low nothing falls below `previous`; an entry
 * without trust refuses the plan.
 */
export function regionDemand(input: DemandInput): Result<RegionDemand> {
  const { region, forecast, graph } = input;
  const series = new Map(forecast.series.map((one) => [one.service, one]));
  const entries = region.services.filter((service) => service.entry !== undefined).map((service) => service.name);
  const problems = entryProblems(entries, series, region.forecast.demandQuantile);
  if (problems.length > 0) return refused(problems);
  const possible = propagateDemand(graph, Object.fromEntries(entries.map((name) => [name, 1])));
  if (!possible.ok) return possible;
  const reader = peakReader(input, series, entries);
  const warnings: string[] = [];
  const before = previousDemand(input);
  const byService = new Map<string, ServiceDemand>();
  for (const { name } of region.services) {
    const level = input.levels?.get(name) ?? LEVEL[region.forecast.demandQuantile];
    const calls = reader.calls.get(name) ?? new Map<string, number>();
    const callers = entries.filter((entry) => calls.has(entry));
    const trust = callers.map((entry) => series.get(entry)?.trust ?? 'none').reduce(lessTrust, 'high');
    const burst = burstOf(name, calls, input.peaks ?? NO_PEAKS);
    const rps = reader.peaks(calls, level).map((one) => one * (burst?.factor ?? 1));
    const source = `${sourceOf(name, entries, callers)}${burstWords(burst)}`;
    const quantile = namedAtLeast(level);
    const own = entries.includes(name) ? undefined : series.get(name);
    const unexplainedRps = rps.map(() => 0);
    const demand = { rps, unexplainedRps, trust, source, level, quantile };
    const context = { own, windows: input.windows, before: before(name), warnings };
    byService.set(name, raiseToPrevious(name, raiseToOwn(name, demand, context), context));
  }
  const outsideRps = new Map(
    entries.map((name) => [name, input.windows.map((span) => typical(series.get(name), span))]),
  );
  const typicalRps = new Map(
    region.services.map(({ name }) => {
      const calls = [...(reader.calls.get(name) ?? [])];
      const at = (window: number): number =>
        calls.reduce((sum, [entry, weight]) => sum + weight * (outsideRps.get(entry)?.[window] ?? 0), 0);
      return [name, input.windows.map((_, window) => at(window))];
    }),
  );
  return ok({ byService, outsideRps, typicalRps, warnings });
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

const NO_PEAKS: ReadonlyMap<string, PeakFactor> = new Map();
/** Less than this is not worth a word. */
const WORTH_SAYING = 1.005;

function burstWords(burst: Burst | undefined): string {
  if (burst === undefined || burst.factor < WORTH_SAYING) return '';
  return `, times ${burst.factor.toFixed(2)} for seconds busier than chance makes them: ${burst.reason}`;
}

interface PeakReader {
  /** Service → entry → requests for one at the entry. */
  calls: ReadonlyMap<string, ReadonlyMap<string, number>>;
  /** rps by window. */
  peaks(calls: ReadonlyMap<string, number>, level: number): number[];
}

/**
 * Peaks along the graph: neither the highest of an hour's quantiles nor their sum over callers is the quantile of what
 * comes at once, so joint paths are added up where there are any.
 */
function peakReader(
  { forecast, graph, windows }: DemandInput,
  series: ReadonlyMap<string, ForecastSeries>,
  entries: readonly string[],
): PeakReader {
  const calls = callsByEntry(graph, entries);
  const { joint } = forecast;
  if (joint === undefined) {
    const margin = (entry: string, level: number, span: WindowSpan): number => peak(series.get(entry), level, span);
    const peaks = (weights: ReadonlyMap<string, number>, level: number): number[] =>
      windows.map((span) =>
        [...weights].reduce((sum, [entry, weight]) => sum + weight * margin(entry, level, span), 0),
      );
    return { calls, peaks };
  }
  const paths = new Map(
    entries.flatMap((entry): [string, DemandPaths][] => {
      const one = series.get(entry);
      return one === undefined ? [] : [[entry, expandPaths(joint, entry, one.quantiles)]];
    }),
  );
  const peaks = (weights: ReadonlyMap<string, number>, level: number): number[] => {
    const together = combinePaths(paths, weights);
    return windows.map((span) =>
      together.paths === 0 ? 0 : peakQuantile(together, span.firstStep, span.steps, level),
    );
  };
  return { calls, peaks };
}

/** The lowest named quantile at or above a level; the highest where none is. */
function namedAtLeast(level: number): QuantileName {
  return QUANTILES.find((name) => LEVEL[name] >= level - 1e-9) ?? 'p99';
}

function peak(series: ForecastSeries | undefined, level: number, { firstStep, steps }: WindowSpan): number {
  const values = series?.quantiles[namedAtLeast(level)] ?? [];
  let highest = 0;
  for (let step = firstStep; step < firstStep + steps; step++) highest = Math.max(highest, values[step] ?? 0);
  return highest;
}

/** Over what the window holds, the lead behind it left out. */
function typical(series: ForecastSeries | undefined, { firstStep, ownSteps }: WindowSpan): number {
  const medians = series?.quantiles.p50.slice(firstStep, firstStep + ownSteps) ?? [];
  return medians.reduce((sum, value) => sum + Math.max(0, value), 0) / Math.max(1, medians.length);
}

function sourceOf(name: string, entries: readonly string[], callers: readonly string[]): string {
  if (entries.includes(name)) return 'requests from outside';
  if (callers.length === 0) return 'no calls by the graph';
  const more = callers.length > NAMED_CALLERS ? ` and ${callers.length - NAMED_CALLERS} more` : '';
  return `calls that follow from requests to ${callers.slice(0, NAMED_CALLERS).join(', ')}${more}`;
}

interface RaiseContext {
  own: ForecastSeries | undefined;
  windows: readonly WindowSpan[];
  /** What the running plan reckons with, rps, one a window. */
  before: readonly number[];
  warnings: string[];
}

function raiseToOwn(name: string, demand: ServiceDemand, { own, windows, warnings }: RaiseContext): ServiceDemand {
  if (own === undefined || own.trust === 'none') return demand;
  const ownRps = windows.map((span) => peak(own, demand.level, span));
  const excess = ownRps.map((rps, i) => Math.max(0, rps - (demand.rps[i] ?? 0)));
  const worst = excess.indexOf(Math.max(...excess));
  if ((excess[worst] ?? 0) <= 0) return demand;
  warnings.push(
    `${name}: its own forecast of ${oneDecimal(ownRps[worst] ?? 0)} rps is above the ${oneDecimal(demand.rps[worst] ?? 0)} rps that the graph brings; the larger is planned for`,
  );
  return {
    ...demand,
    rps: demand.rps.map((rps, i) => rps + (excess[i] ?? 0)),
    unexplainedRps: excess,
    trust: lessTrust(demand.trust, own.trust),
    source: 'its own forecast',
  };
}

function raiseToPrevious(name: string, demand: ServiceDemand, { before, warnings }: RaiseContext): ServiceDemand {
  const rps = demand.rps.map((one, i) => Math.max(one, before[i] ?? 0));
  if (demand.trust !== 'low' || rps.every((one, i) => one === demand.rps[i])) return demand;
  warnings.push(
    `${name}: a forecast of low trust may raise demand, not lower it: up to ${oneDecimal(Math.max(...before))} rps stay planned for`,
  );
  return { ...demand, rps, source: 'the plan before, as a forecast of low trust lowers nothing' };
}

/** The most that the running plan reckons with in each window; beyond its end what its last window says. */
function previousDemand({ previous, windows }: DemandInput): (service: string) => number[] {
  const changes = new Map<string, { fromMs: number; rps: number }[]>();
  for (const window of previous?.windows ?? []) {
    for (const { service, demand } of window.services) {
      const change = { fromMs: Date.parse(window.from), rps: demand.rps };
      const known = changes.get(service);
      if (known === undefined) changes.set(service, [change]);
      else known.push(change);
    }
  }
  return (service) => {
    const own = changes.get(service) ?? [];
    const during = ({ fromMs, toMs }: WindowSpan): number[] =>
      own
        .filter((change, i) => change.fromMs < toMs && (own[i + 1]?.fromMs ?? Infinity) > fromMs)
        .map((one) => one.rps);
    return windows.map((span) =>
      Math.max(0, ...during(span), own[0] !== undefined && span.toMs <= own[0].fromMs ? own[0].rps : 0),
    );
  };
}
