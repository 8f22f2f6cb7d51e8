import { samplePaths } from '../../core/forecast/calibration/paths.js';
import { createRandom, normal } from '../../core/forecast/random.js';
import { callsByEntry } from '../../core/graph/propagate.js';
import type { DemandForecast, ForecastSeries } from '../../core/spec/forecast.js';
import type { ServiceGraph } from '../../core/spec/graph.js';
import type { EndpointSpec, HostSpec, NeighbourSpec, RegionSpec, ServiceSpec } from '../../core/spec/region.js';

export interface GeneratedRegionInput {
  graph: ServiceGraph;
  /** Services that users reach. */
  entries: readonly string[];
  seed: number;
  /** Requests per second at the peak of each entry, p95. */
  entryRps?: number;
  hosts?: number;
  neighbours?: number;
  /** Hourly steps of the horizon. */
  steps?: number;
  planning?: RegionSpec['planning'];
}

export interface GeneratedRegion {
  region: RegionSpec;
  forecast: DemandForecast;
  graph: ServiceGraph;
}

const START_MS = Date.parse('2026-01-05T00:00:00Z');
const HOUR_MS = 3_600_000;

/**
 * A region around a service graph: service times that hold those of the callees, endpoints for about 1.7 times what the
 * peak needs, a day of demand with a peak in the evening, and neighbours with a third of the demand to spare.
 */
export function generateRegion(input: GeneratedRegionInput): GeneratedRegion {
  const { graph, entries, seed } = input;
  const random = createRandom(seed);
  const times = serviceTimes(graph, random);
  const entryRps = new Map(entries.map((name) => [name, (input.entryRps ?? 100) * Math.exp(0.5 * normal(random))]));
  const peaks = peakDemand(graph, entries, entryRps);
  const services = graph.services.map((name, index): ServiceSpec => {
    const serviceTimeMs = times.get(name) ?? 5;
    const concurrency = [4, 8, 16, 32][Math.floor(random() * 4)] ?? 8;
    const needed = Math.ceil(((peaks.get(name) ?? 0) * serviceTimeMs) / 1000 / concurrency / 0.6) + 1;
    return {
      name,
      ...(entryRps.has(name) ? { entry: { pathPrefix: `/${name}` } } : {}),
      endpoints: endpointsOf(index, Math.ceil(needed * 1.4)),
      healthPath: '/healthz',
      capacity: { concurrency, serviceTimeMs, startupSeconds: Math.ceil(5 + 25 * random()) },
      slo: { p99Ms: Math.ceil(serviceTimeMs * (6 + 4 * random())), maxErrorRate: 0.01 },
      minInstances: 1,
    };
  });
  const count = input.neighbours ?? 1;
  const region: RegionSpec = {
    apiVersion: 'psmg/v1',
    name: 'generated',
    locality: { region: 'generated', zone: 'generated-a' },
    autonomy: 'observe',
    mesh: { kind: 'envoy' },
    delivery: { tool: 'ansible', hostWaitSeconds: 60, hosts: hostsOf(input.hosts ?? 4) },
    services,
    graph: { edges: graph.edges.map(({ caller, callee, callsPerRequest }) => ({ caller, callee, callsPerRequest })) },
    history: { kind: 'csv', file: 'history.csv', stepSeconds: 3600 },
    forecast: { horizonSteps: input.steps ?? 24, seasons: [24], demandQuantile: 'p95' },
    events: [],
    neighbours: Array.from({ length: count }, (_, i) => neighbourOf(i, peaks, count)),
    stack: { timeoutSeconds: 600, minReadyFraction: 1 },
    activation: { steps: [10, 25, 50, 100], judgeSeconds: 10, minRequests: 50, maxErrorRate: 0.01, maxInconclusive: 3 },
    operate: { tickSeconds: 10, maxStepFraction: 0.1, maxInconclusiveTicks: 3, minRequestsPerTick: 20 },
    hooks: {},
    ...(input.planning === undefined ? {} : { planning: input.planning }),
  };
  return { region, graph, forecast: forecastOf(entryRps, input.steps ?? 24, seed) };
}

function serviceTimes(graph: ServiceGraph, random: () => number): Map<string, number> {
  const callees = new Map<string, string[]>();
  for (const { caller, callee } of graph.edges) callees.set(caller, [...(callees.get(caller) ?? []), callee]);
  const times = new Map<string, number>();
  const open = new Set<string>();
  const visit = (name: string): number => {
    const known = times.get(name);
    if (known !== undefined) return known;
    if (open.has(name)) return 0;
    open.add(name);
    const below = Math.max(0, ...(callees.get(name) ?? []).map(visit));
    const time = Math.round(10 * Math.min(2000, 2 * Math.exp(0.8 * normal(random)) + below)) / 10;
    open.delete(name);
    times.set(name, Math.max(0.5, time));
    return time;
  };
  for (const name of graph.services) visit(name);
  return times;
}

function peakDemand(
  graph: ServiceGraph,
  entries: readonly string[],
  entryRps: ReadonlyMap<string, number>,
): Map<string, number> {
  const peaks = new Map<string, number>();
  for (const [service, calls] of callsByEntry(graph, entries)) {
    peaks.set(
      service,
      [...calls].reduce((sum, [entry, each]) => sum + each * (entryRps.get(entry) ?? 0), 0),
    );
  }
  return peaks;
}

function endpointsOf(service: number, count: number): EndpointSpec[] {
  return Array.from({ length: count }, (_, i) => ({
    address: `10.${Math.floor(service / 250)}.${service % 250}.${1 + (i % 250)}`,
    port: 8080 + Math.floor(i / 250),
    zone: `generated-${'abc'[i % 3] ?? 'a'}`,
  }));
}

function hostsOf(count: number): HostSpec[] {
  return Array.from({ length: count }, (_, i) => ({
    name: `edge-${i + 1}`,
    zone: 'generated-a',
    connection: 'local',
    directory: `/srv/psmg/edge-${i + 1}`,
    python: '/usr/bin/python3',
    proxy: {
      binary: '/usr/bin/envoy',
      manager: 'process',
      ingress: { address: '127.0.0.1', port: 20_000 + 10 * i },
      mesh: { address: '127.0.0.1', port: 20_001 + 10 * i },
      admin: { address: '127.0.0.1', port: 20_002 + 10 * i },
    },
  }));
}

function neighbourOf(index: number, peaks: ReadonlyMap<string, number>, neighbours: number): NeighbourSpec {
  const name = `neighbour-${index + 1}`;
  return {
    name,
    locality: { region: name, zone: `${name}-a` },
    gateway: { address: `10.200.${index}.1`, port: 15_008 },
    networkLatencyMs: 5 + 12 * index,
    egressCostPerGb: 0.01,
    spareRps: Object.fromEntries([...peaks].map(([service, rps]) => [service, Math.ceil((0.6 * rps) / neighbours)])),
  };
}

/** A day with its peak at eight in the evening; errors of ±15 % that entries share in part. */
function forecastOf(entryRps: ReadonlyMap<string, number>, steps: number, seed: number): DemandForecast {
  const timestamps = Array.from({ length: steps }, (_, i) => new Date(START_MS + i * HOUR_MS).toISOString());
  const shape = timestamps.map((_, i) => 0.55 + 0.45 * Math.cos((2 * Math.PI * (i - 20)) / 24));
  const at = (rps: number, factor: number): number[] => shape.map((value) => rps * value * factor);
  const series = [...entryRps].map(([service, rps]): ForecastSeries => ({
    service,
    step: '1h',
    models: [{ name: 'generated', weight: 1, mase: 0.8 }],
    trust: 'high',
    trustReason: 'generated',
    timestamps,
    quantiles: {
      p50: at(rps, 0.8),
      p80: at(rps, 0.9),
      p90: at(rps, 0.96),
      p95: at(rps, 1),
      p99: at(rps, 1.1),
    },
  }));
  return {
    series,
    notes: [],
    joint: samplePaths({ services: heldOut(series, steps, seed), shortestSeason: 24, seed }),
  };
}

function heldOut(
  series: readonly ForecastSeries[],
  steps: number,
  seed: number,
): Parameters<typeof samplePaths>[0]['services'] {
  const random = createRandom(seed + 1);
  const common = Array.from({ length: 6 }, () => Array.from({ length: steps }, () => normal(random)));
  return series.map(({ service, quantiles }) => ({
    service,
    heldOut: common.map((errors, origin) => ({
      originMs: START_MS - (6 - origin) * steps * HOUR_MS,
      actual: quantiles.p50.map((value, step) => value * (1 + 0.1 * (errors[step] ?? 0) + 0.08 * normal(random))),
      predicted: [...quantiles.p50],
    })),
  }));
}
