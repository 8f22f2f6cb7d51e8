import type { Reasoned } from '../spec/plan.js';
import type { NeighbourSpec } from '../spec/region.js';
import type { CapacityCurve } from './capacity/capacityCurve.js';
import { pathLatency } from './capacity/pathLatency.js';
import type { Away, QuantileTable } from './capacity/pathLatency.js';
import { sojournTable } from './capacity/sojournTable.js';
import type { ServiceContext } from './servicePlan.js';
import type { WindowSpan } from './windows.js';
import { oneDecimal } from '../spec/oneDecimal.js';

/** Requests that are drawn for each entry: the p99 of a thousand is within a few percent. */
const SAMPLES = 1000;
/** Over the SLO by less than this may be chance of the draw. */
const DOUBT = 1.1;
/** The same plan for the same input, in whatever order it is given. */
const SEED = 20_260_101;

export interface RequestLatencyInput extends Pick<
  ServiceContext,
  'region' | 'demand' | 'instances' | 'routes' | 'calls'
> {
  curves: ReadonlyMap<string, CapacityCurve>;
  windows: readonly WindowSpan[];
}

/**
 * What users of each entry will wait for, in its busiest window: the p99 of whole requests, calls and ways to other
 * regions with them, drawn along the graph (the p99 of the services on the way are never summed). Own work and waiting
 * are those of the planned instances at the planned demand; calls are made one after the other, which is the longer
 * way. An entry some of whose services are overloaded is left out: its shortfall is told.
 */
export function requestLatencies(input: RequestLatencyInput): ReadonlyMap<string, Reasoned<number>> {
  const { region, demand, calls } = input;
  const byWindow = new Map<number, WindowTimes>();
  const found = new Map<string, Reasoned<number>>();
  for (const { name, entry, slo } of region.services) {
    if (entry === undefined) continue;
    const window = busiest(demand.byService.get(name)?.rps ?? []);
    const times = byWindow.get(window) ?? timesOf(input, window);
    byWindow.set(window, times);
    if (overloaded(name, calls, times.sojourns)) continue;
    const drawn = pathLatency({ entry: name, calls, ...times, samples: SAMPLES }, SEED);
    const p99Ms = oneDecimal(drawn.p99Ms);
    const fits = p99Ms <= slo.p99Ms ? 'within' : 'over';
    const from = new Date(input.windows[window]?.fromMs ?? 0).toISOString();
    found.set(name, {
      value: p99Ms,
      reason: `99 of 100 whole requests, with the calls that follow, take at most this at the peak of the window from ${from}; ${fits} the SLO of ${slo.p99Ms} ms`,
      inputs: { p50Ms: oneDecimal(drawn.p50Ms), sloP99Ms: slo.p99Ms, samples: SAMPLES, cutOff: drawn.cut },
    });
  }
  return found;
}

/** An entry whose requests will take longer than its SLO although every service keeps its own. */
export function latencyWarnings(latencies: ReadonlyMap<string, Reasoned<number>>): string[] {
  return [...latencies].flatMap(([entry, { value, inputs }]) => {
    const sloMs = Number(inputs?.['sloP99Ms']);
    if (value <= sloMs * DOUBT) return [];
    return [
      `${entry}: whole requests will have a p99 of ${value} ms, over its SLO of ${sloMs} ms, with every service within its own: raise slo.p99Ms of ${entry}, or lower that of the services it calls`,
    ];
  });
}

interface WindowTimes {
  sojourns: ReadonlyMap<string, QuantileTable>;
  away: ReadonlyMap<string, readonly Away[]>;
}

function timesOf({ region, instances, routes, curves }: RequestLatencyInput, window: number): WindowTimes {
  const sojourns = new Map<string, QuantileTable>();
  const away = new Map<string, readonly Away[]>();
  for (const { name } of region.services) {
    const curve = curves.get(name);
    const count = instances.get(name)?.[window]?.count ?? 0;
    const route = routes[window]?.get(name);
    if (curve === undefined || route === undefined) continue;
    away.set(
      name,
      byName(region.neighbours).map((one) => ({
        share: (route.percents[one.name] ?? 0) / 100,
        ms: 2 * one.networkLatencyMs,
      })),
    );
    // Nothing is known of the instances elsewhere but that they are to keep the same SLO: they count as ours.
    const table = sojournTable(curve.queues, Math.max(1, count), count === 0 ? 0 : route.localRps);
    if (table !== undefined) sojourns.set(name, table);
  }
  return { sojourns, away };
}

function byName(neighbours: readonly NeighbourSpec[]): NeighbourSpec[] {
  return [...neighbours].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function overloaded(
  entry: string,
  calls: ServiceContext['calls'],
  sojourns: ReadonlyMap<string, QuantileTable>,
): boolean {
  const seen = new Set([entry]);
  for (const name of seen) {
    if (!sojourns.has(name)) return true;
    for (const callee of Object.keys(calls[name] ?? {})) seen.add(callee);
  }
  return false;
}

function busiest(rps: readonly number[]): number {
  return Math.max(0, rps.indexOf(Math.max(...rps)));
}
