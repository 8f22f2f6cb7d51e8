import { propagateDemand } from '../graph/propagate.js';
import { calibrated } from '../plan/calibrated.js';
import { assumedServiceTimeCv } from '../plan/capacity/capacityCurve.js';
import type { PastDeployment } from '../plan/capacity/records/pastDeployment.js';
import { inboundOf, isBehindInbound } from '../plan/inbound.js';
import { liveMesh } from '../plan/live.js';
import { windowAt } from '../plan/windowAt.js';
import type { ServiceGraph } from '../spec/graph.js';
import { planHash } from '../spec/hash.js';
import type { LiveIntent, LiveMesh, LiveService } from '../spec/live.js';
import type { MeshPlan, ServicePlan } from '../spec/plan.js';
import { ok } from '../spec/problem.js';
import type { Result } from '../spec/problem.js';
import type { Criticality, RegionSpec, ServiceSpec } from '../spec/region.js';
import type { ServiceSettings } from '../spec/settings.js';
import { socketKey } from '../spec/socket.js';
import type { TwinAction } from './control.js';
import type { ServiceTime, TwinCall, TwinEntry, TwinInstance, TwinModel, TwinPlace, TwinService } from './model.js';
import { timeOf } from './serviceTime.js';

/** As the router reckons (`core/plan/routes.ts`), where no value is stated. */
const WORTH: Readonly<Record<Criticality, number>> = { critical: 10, normal: 1, sheddable: 0.1 };
/** What nothing limits. */
const PLENTY = 1_000_000;

export interface CompileInput {
  region: RegionSpec;
  graph: ServiceGraph;
  plan: MeshPlan;
  intent: LiveIntent;
  /** What past deployments showed of the services' capacity. */
  deployments?: readonly PastDeployment[];
  /** Service times and workers by service, where they are known better than the region file states them. */
  measured?: Readonly<Record<string, { time: ServiceTime; workers: number }>>;
  /** One way between a proxy and an instance of the region, ms. Absent: 0. */
  localNetworkMs?: number;
  /** Calls of one request go out one after another, as the testbed's services make them, or all at once. Absent: serial. */
  calls?: 'serial' | 'parallel';
  /**
   * A worker waits for its callees. Absent: false, as the plan reckons: what one instance takes is its workers over its
   * service time.
   */
  holdsWorker?: boolean;
}

/**
 * The twin of a region as a plan and an intent would run it. Neighbours are what they can spare: so many instances of
 * our kind as take `spareRps` and what it calls there, behind limits that nobody meets. Refused where the graph's demand
 * cannot be propagated.
 */
export function compileTwin(input: CompileInput): Result<TwinModel> {
  const { graph, plan, intent } = input;
  const { region } = calibrated(input.region, input.deployments ?? []);
  const live = liveMesh(region, plan, planHash(plan), intent);
  const planned = new Map(windowAt(plan, intent.window).services.map((one) => [one.service, one]));
  const spare = new Map<string, Readonly<Record<string, number>>>();
  for (const { name, spareRps } of region.neighbours) {
    const known = Object.entries(spareRps).filter(([service]) => graph.services.includes(service));
    const reached = propagateDemand(graph, Object.fromEntries(known));
    if (!reached.ok) return reached;
    spare.set(name, { ...spareRps, ...reached.value });
  }
  const services = live.services.flatMap((one): TwinService[] => {
    const spec = region.services.find(({ name }) => name === one.service);
    const plannedOne = planned.get(one.service);
    if (spec === undefined || plannedOne === undefined) return [];
    return [twinService({ ...input, region }, spec, one, plannedOne, spare)];
  });
  return ok({
    regions: [
      { name: region.name, proxies: region.delivery.hosts.length, networkMs: input.localNetworkMs ?? 0 },
      ...region.neighbours.map(({ name }) => ({ name, proxies: 1 })),
    ],
    network: region.neighbours.map(({ name, networkLatencyMs }) => ({
      between: [region.name, name],
      oneWayMs: networkLatencyMs,
    })),
    services,
    entries: entriesOf(region),
  });
}

function twinService(
  input: CompileInput,
  spec: ServiceSpec,
  live: LiveService,
  planned: ServicePlan,
  spare: ReadonlyMap<string, Readonly<Record<string, number>>>,
): TwinService {
  const { capacity, slo } = spec;
  const cv = capacity.serviceTimeCv ?? assumedServiceTimeCv(capacity.serviceTimeMs, slo.p99Ms);
  const places: Record<string, TwinPlace> = { [input.region.name]: ownPlace(input, spec, live, spare) };
  for (const { name, locality } of input.region.neighbours) {
    const rps = spare.get(name)?.[spec.name] ?? 0;
    if (rps <= 0) continue;
    const count = Math.max(1, Math.ceil(rps / planned.perInstanceRps - 1e-9));
    const instances = Array.from({ length: count }, () => instanceOf(input, spec, locality.zone));
    places[name] = { instances, settings: unlimited(live.settings), weights: { [name]: 100 }, behindInbound: false };
  }
  return {
    name: spec.name,
    time: input.measured?.[spec.name]?.time ?? timeOf(capacity.serviceTimeMs, cv),
    stages: stagesOf(input, spec.name),
    holdsWorker: input.holdsWorker ?? false,
    places,
  };
}

function ownPlace(
  input: CompileInput,
  spec: ServiceSpec,
  live: LiveService,
  spare: ReadonlyMap<string, Readonly<Record<string, number>>>,
): TwinPlace {
  const { region, intent } = input;
  const inbound = inboundOf(region);
  const ready = intent.readyInstances?.[spec.name] ?? live.endpoints.length;
  const instances = live.endpoints.map((endpoint, i): TwinInstance => ({
    ...instanceOf(input, spec, endpoint.zone ?? region.locality.zone),
    proxy: hostOf(region, spec.name, socketKey(endpoint), i),
    state: i < ready ? 'ready' : 'starting',
  }));
  const reachable = ([name, percent]: [string, number]): boolean =>
    percent > 0 && (name === region.name || (spare.get(name)?.[spec.name] ?? 0) > 0);
  const repeatsFailures = live.idempotent === true;
  return {
    instances,
    ...(instances.length > 0 ? { maxInstances: spec.endpoints.length } : {}),
    settings: live.settings,
    weights: Object.fromEntries(Object.entries(live.weights).filter(reachable)),
    failover: live.failover ?? region.neighbours.map(({ name }) => name),
    behindInbound: isBehindInbound(spec, inbound),
    retryOn: repeatsFailures ? ['connect', 'failure'] : ['connect'],
    multiplexed: live.protocol === 'http2' || live.protocol === 'grpc',
    affinity: live.affinity !== undefined,
  };
}

function instanceOf(input: CompileInput, { name, capacity }: ServiceSpec, zone: string): TwinInstance {
  const workers = input.measured?.[name]?.workers ?? capacity.concurrency;
  return { zone, workers, startupMs: capacity.startupSeconds * 1000 };
}

/** Host whose proxy stands in front of the endpoint, and through which its instance calls; else hosts in turns. */
function hostOf({ delivery }: RegionSpec, service: string, key: string, index: number): number {
  const stated = delivery.hosts.findIndex(({ proxy }) =>
    (proxy.inbound ?? []).some((one) => one.service === service && socketKey(one.socket) === key),
  );
  return stated >= 0 ? stated : index % delivery.hosts.length;
}

function unlimited(settings: ServiceSettings): ServiceSettings {
  return {
    ...settings,
    'rateLimit.rps': PLENTY,
    'rateLimit.burst': PLENTY,
    'breaker.maxConnections': PLENTY,
    'breaker.maxPendingRequests': PLENTY,
    'breaker.maxRequests': PLENTY,
    'lb.slowStartMs': 0,
  };
}

/** In series a request that makes three calls makes them in three stages, of at most one each. */
function stagesOf({ graph, calls, region }: CompileInput, caller: string): TwinCall[][] {
  const known = new Set(region.services.map(({ name }) => name));
  const edges = graph.edges.filter((edge) => edge.caller === caller && known.has(edge.callee));
  const whole = edges.map(({ callee, callsPerRequest, callsByEntry }): TwinCall => {
    return { service: callee, callsPerRequest, ...(callsByEntry === undefined ? {} : { byEntry: callsByEntry }) };
  });
  if (calls === 'parallel') return whole.length > 0 ? [whole] : [];
  return whole.flatMap((call) => {
    const most = Math.max(call.callsPerRequest, ...Object.values(call.byEntry ?? {}));
    return Array.from({ length: Math.ceil(most - 1e-9) }, (_, n) => [partOf(call, n)]);
  });
}

function partOf(call: TwinCall, n: number): TwinCall {
  const part = (calls: number): number => Math.min(1, Math.max(0, calls - n));
  const byEntry = Object.entries(call.byEntry ?? {}).map(([entry, calls]) => [entry, part(calls)] as const);
  return {
    ...call,
    callsPerRequest: part(call.callsPerRequest),
    ...(byEntry.length > 0 ? { byEntry: Object.fromEntries(byEntry) } : {}),
  };
}

/** One route an entry service, by its name; good within its p99 SLO. */
function entriesOf(region: RegionSpec): TwinEntry[] {
  return region.services.flatMap(({ name, entry, slo, criticality }): TwinEntry[] => {
    if (entry === undefined) return [];
    const value = entry.valuePerRequest ?? (region.costs?.shortagePerRequest ?? 1) * WORTH[criticality ?? 'normal'];
    return [{ name, service: name, deadlineMs: slo.p99Ms, value }];
  });
}

/** What puts another live mesh in force in a running twin: a plan's next window, an override, another stage. */
export function actionsOf(live: LiveMesh): TwinAction[] {
  return live.services.map(({ service, settings, weights, failover, endpoints }) => ({
    service,
    settings,
    weights,
    ...(failover === undefined ? {} : { failover }),
    targetInstances: endpoints.length,
  }));
}
