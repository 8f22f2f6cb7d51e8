import { createRandom, normal } from '../../core/forecast/random.js';
import { callsByEntry } from '../../core/graph/propagate.js';
import type { PeakFactor } from '../../core/plan/capacity/peakFactor.js';
import { ACTIVATED } from '../../core/plan/lintWindows.js';
import { planMesh } from '../../core/plan/plan.js';
import { compileTwin } from '../../core/simulate/compile.js';
import { openSettings } from '../../core/simulate/fixtures.js';
import type { TwinCall, TwinDemand, TwinModel, TwinService } from '../../core/simulate/model.js';
import type { TwinSlice } from '../../core/simulate/result.js';
import { simulate } from '../../core/simulate/simulate.js';
import type { DemandForecast } from '../../core/spec/forecast.js';
import type { ServiceGraph } from '../../core/spec/graph.js';
import type { EndpointSpec, HostSpec, NeighbourSpec, RegionSpec, ServiceSpec } from '../../core/spec/region.js';

export const APP_NAMES = ['hotel-reservation', 'online-boutique', 'train-ticket'] as const;
export type AppName = (typeof APP_NAMES)[number];

export const APP_ENTRY: Readonly<Record<AppName, string>> = {
  'hotel-reservation': 'frontend',
  'online-boutique': 'frontend',
  'train-ticket': 'ts-ui-dashboard',
};

/** One application in a region of its own, before anything is planned. */
export interface App {
  name: string;
  entries: readonly AppEntry[];
  region: RegionSpec;
  graph: ServiceGraph;
  /** Highest 10-minute mean of demand over all entries that its endpoints are sized for, rps. */
  peakRps: number;
  calls: CallOrder;
}

/** Calls of one request go out one after another, or all at once. */
export type CallOrder = 'serial' | 'parallel';

export interface AppEntry {
  service: string;
  /** Of the demand of all entries, 0–1. */
  share: number;
}

export interface AppInput {
  name: string;
  entries: readonly AppEntry[];
  graph: ServiceGraph;
  /** Mean service times where they are stated; absent: drawn. */
  timesMs?: Readonly<Record<string, number>>;
  /** Endpoints over what the peak needs. Absent: 2.2, and one more. */
  quota?: number;
  /** A region beside, that can spare 30 % of the peak. Absent: true. */
  neighbour?: boolean;
  /** Of the services' times. */
  seed: number;
  /** Absent: serial. */
  calls?: CallOrder;
  /** At the peak, all services together. What a run costs goes with it. Absent: 1,200. */
  callsPerSecond?: number;
}

/** Of one instance. */
const WORKERS = 2;
const OWN_TIME = { medianMs: 16, spread: 0.5, leastMs: 5, mostMs: 45 } as const;
const SERVICE_TIME_CV = 0.7;
const STARTUP_SECONDS = 30;
const PROXIES = 1;
const MAX_UTILISATION = 0.75;
/** Of latencies with little load: what is left is for waiting. */
const SLO_FACTOR = 2;
/** Endpoints for so many times the peak. */
const QUOTA = 2.2;
/** In the currency in which an hour of an instance costs 1. */
const VALUE_PER_REQUEST = 0.001;
const STEP_SECONDS_OF_PLAN = 600;

/**
 * The region of an application. The rates of a production system are scaled down until all services together take
 * `callsPerSecond` at the peak; service times, workers and start-up stay as they would be, so that there are fewer
 * instances than there would be: 1 to 6 of a service. Fewer instances pool less, for every policy alike. SLOs are twice
 * the p99 that the twin shows with little load.
 */
export function makeApp(input: AppInput): App {
  const { name, entries, calls: order = 'serial', neighbour = true } = input;
  const names = entries.map(({ service }) => service);
  const graph = reachable(input.graph, names);
  const random = createRandom(input.seed);
  const calls = callsByEntry(graph, names);
  const perRequest = (service: string): number =>
    entries.reduce((sum, entry) => sum + entry.share * (calls.get(service)?.get(entry.service) ?? 0), 0);
  const total = graph.services.reduce((sum, service) => sum + perRequest(service), 0);
  const peakRps = (input.callsPerSecond ?? 1200) / total;
  const sketches = graph.services.map((service): Sketch => {
    const timeMs = input.timesMs?.[service] ?? drawTimeMs(random);
    return { service, timeMs, peakRps: peakRps * perRequest(service), quota: input.quota };
  });
  const quiet = simulate({
    model: quietTwin(graph, names, sketches, order),
    demand: steadyDemand(entries, peakRps / 4),
    ...{ durationMs: 120_000, warmUpMs: 2000, seed: input.seed },
  });
  const services = sketches.map((sketch, i) => serviceOf(sketch, i, names, quiet.totals));
  const region = regionOf(name, graph, services, neighbour ? sketches : []);
  return { name, entries, graph, peakRps, calls: order, region };
}

/** So much over all entries, all the time. */
export function steadyDemand(entries: readonly AppEntry[], rps: number): TwinDemand {
  return {
    entries: entries.map(({ service, share }) => ({
      entry: service,
      shape: 'step',
      points: [{ atMs: 0, rps: rps * share }],
    })),
  };
}

function drawTimeMs(random: () => number): number {
  const { medianMs, spread, leastMs, mostMs } = OWN_TIME;
  const drawn = Math.min(mostMs, Math.max(leastMs, medianMs * Math.exp(spread * normal(random))));
  return Math.round(10 * drawn) / 10;
}

interface Sketch {
  service: string;
  timeMs: number;
  peakRps: number;
  quota: number | undefined;
}

/** Services that requests can reach, and the calls between them. */
function reachable(graph: ServiceGraph, entries: readonly string[]): ServiceGraph {
  const seen = new Set(entries);
  for (const service of seen) {
    for (const edge of graph.edges) if (edge.caller === service) seen.add(edge.callee);
  }
  return {
    ...graph,
    services: graph.services.filter((service) => seen.has(service)),
    edges: graph.edges.filter(({ caller, callee }) => seen.has(caller) && seen.has(callee)),
  };
}

function serviceOf(sketch: Sketch, index: number, entries: readonly string[], quiet: TwinSlice): ServiceSpec {
  const { service, timeMs } = sketch;
  const measured = quiet.services.find((one) => one.service === service)?.latency.p99Ms ?? 0;
  const p99Ms = 10 * Math.ceil(Math.max(SLO_FACTOR * measured, 6 * timeMs) / 10);
  return {
    name: service,
    ...(entries.includes(service) ? { entry: { pathPrefix: `/${service}`, valuePerRequest: VALUE_PER_REQUEST } } : {}),
    endpoints: endpointsOf(index, endpointCount(sketch)),
    healthPath: '/healthz',
    capacity: {
      ...{ concurrency: WORKERS, serviceTimeMs: timeMs, serviceTimeCv: SERVICE_TIME_CV },
      startupSeconds: STARTUP_SECONDS,
    },
    slo: { p99Ms, maxErrorRate: 0.01 },
    minInstances: 1,
  };
}

function endpointCount(sketch: Sketch): number {
  const needed = neededInstances(sketch);
  return sketch.quota === undefined ? Math.ceil(QUOTA * needed) + 1 : Math.ceil(sketch.quota * needed);
}

function neededInstances({ timeMs, peakRps }: Sketch): number {
  return Math.max(1, Math.ceil((peakRps * timeMs) / 1000 / WORKERS / MAX_UTILISATION));
}

function endpointsOf(service: number, count: number): EndpointSpec[] {
  return Array.from({ length: count }, (_, i) => ({ address: `10.0.${service}.${1 + i}`, port: 8080 }));
}

/** With room for all, and no limit: how long a request takes by itself. */
function quietTwin(
  graph: ServiceGraph,
  entries: readonly string[],
  sketches: readonly Sketch[],
  order: CallOrder,
): TwinModel {
  const services = sketches.map((sketch): TwinService => {
    const instance = { zone: 'a', workers: WORKERS, startupMs: 0 };
    const instances = Array.from({ length: 1 + neededInstances(sketch) }, () => instance);
    const place = { instances, settings: openSettings(), weights: { here: 100 }, behindInbound: false };
    return {
      name: sketch.service,
      time: { kind: 'lognormal', meanMs: sketch.timeMs, cv: SERVICE_TIME_CV },
      stages: stagesOf(graph, sketch.service, order),
      holdsWorker: false,
      places: { here: place },
    };
  });
  return {
    regions: [{ name: 'here', proxies: PROXIES }],
    network: [],
    services,
    entries: entries.map((name) => ({ name, service: name, deadlineMs: 60_000, value: 1 })),
  };
}

function stagesOf(graph: ServiceGraph, caller: string, order: CallOrder): TwinCall[][] {
  const edges = graph.edges.filter((edge) => edge.caller === caller);
  if (order === 'parallel') {
    const stage = edges.map(({ callee, callsPerRequest }) => ({ service: callee, callsPerRequest }));
    return stage.length > 0 ? [stage] : [];
  }
  return edges.flatMap(({ callee, callsPerRequest }) =>
    Array.from({ length: Math.ceil(callsPerRequest - 1e-9) }, (_, n) => [
      { service: callee, callsPerRequest: Math.min(1, callsPerRequest - n) },
    ]),
  );
}

function regionOf(
  name: string,
  graph: ServiceGraph,
  services: readonly ServiceSpec[],
  spared: readonly Sketch[],
): RegionSpec {
  const spare = spared.map(({ service, peakRps }) => [service, Math.ceil(30 * peakRps) / 100] as const);
  return {
    apiVersion: 'psmg/v1',
    name,
    locality: { region: name, zone: `${name}-a` },
    autonomy: 'act',
    mesh: { kind: 'envoy' },
    delivery: { tool: 'ansible', hostWaitSeconds: 60, hosts: hostsOf(services) },
    services,
    graph: { edges: graph.edges.map(({ caller, callee, callsPerRequest }) => ({ caller, callee, callsPerRequest })) },
    history: { kind: 'csv', file: 'history.csv', stepSeconds: STEP_SECONDS_OF_PLAN },
    forecast: { horizonSteps: 1, seasons: [24, 168], demandQuantile: 'p95' },
    events: [],
    neighbours: spare.length === 0 ? [] : [neighbourOf(Object.fromEntries(spare))],
    stack: { timeoutSeconds: 600, minReadyFraction: 1 },
    activation: { steps: [100], judgeSeconds: 10, minRequests: 50, maxErrorRate: 0.01, maxInconclusive: 3 },
    operate: { tickSeconds: 10, maxStepFraction: 0.1, maxInconclusiveTicks: 3, minRequestsPerTick: 20 },
    hooks: {},
    planning: {
      ...{ windowSeconds: STEP_SECONDS_OF_PLAN, leadSeconds: 5, hysteresis: 0.1, survive: 'none' },
      ...{ maxUtilisation: MAX_UTILISATION, arrivalCv2: 1 },
    },
  };
}

function neighbourOf(spareRps: Readonly<Record<string, number>>): NeighbourSpec {
  return {
    ...{ name: 'neighbour', locality: { region: 'neighbour', zone: 'neighbour-a' } },
    ...{ gateway: { address: '10.200.0.1', port: 15_008 }, networkLatencyMs: 10, egressCostPerGb: 0.01 },
    spareRps,
  };
}

/** Instances stand on the hosts in turns, each behind its host's proxy. */
function hostsOf(services: readonly ServiceSpec[]): HostSpec[] {
  return Array.from({ length: PROXIES }, (_, host): HostSpec => ({
    name: `edge-${host + 1}`,
    zone: 'a',
    connection: 'local',
    directory: `/srv/psmg/edge-${host + 1}`,
    python: '/usr/bin/python3',
    proxy: {
      binary: '/usr/bin/envoy',
      manager: 'process',
      ingress: { address: `10.1.0.${host + 1}`, port: 8080 },
      mesh: { address: `10.1.0.${host + 1}`, port: 8081 },
      admin: { address: `10.1.0.${host + 1}`, port: 8082 },
      inbound: services.flatMap(({ name, endpoints }) =>
        endpoints.flatMap(({ address, port }, i) =>
          i % PROXIES === host
            ? [{ service: name, socket: { address, port }, app: { address, port: port + 1000 } }]
            : [],
        ),
      ),
    },
  }));
}

/** Our plan for a forecast of the app's entries, as the twin of its first window, limits enforced. Throws where refused. */
export function plannedTwin(
  app: App,
  forecast: DemandForecast,
  peaks: ReadonlyMap<string, PeakFactor> = new Map(),
): TwinModel {
  const { region, graph, calls } = app;
  const plan = planMesh({ region, graph, forecast, peaks });
  if (!plan.ok) throw new Error(`${app.name}: ${JSON.stringify(plan.problems.slice(0, 3))}`);
  const model = compileTwin({ region, graph, plan: plan.value, intent: ACTIVATED, localNetworkMs: 0.25, calls });
  if (!model.ok) throw new Error(`${app.name}: ${JSON.stringify(model.problems.slice(0, 3))}`);
  return model.value;
}
