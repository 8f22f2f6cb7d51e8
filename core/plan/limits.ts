import type { ServiceSpec } from '../spec/region.js';

/**
 * Balancers in front of the proxies do not split evenly, and a proxy's share of a limit must not refuse what another
 * proxy's share leaves unused: each gets this much more than an even share.
 */
export const IMBALANCE_MARGIN = 1.33;
/** Envoy's over-provisioning factor: a locality keeps its weight until fewer than 1/1.4 of its endpoints are healthy. */
export const OVERPROVISIONING = 1.4;
/** Below this a breaker would trip on the noise of single requests. */
const MIN_IN_FLIGHT = 10;

export interface SplitInput {
  own: string;
  /** Percent by region. */
  weights: Readonly<Record<string, number>>;
  plannedInstances: number;
  readyInstances: number;
  perInstanceRps: number;
  /** rps that each neighbour can take of this service. */
  spareRps: Readonly<Record<string, number>>;
}

/**
 * Requests per second that all regions together can serve of a service when requests are split as the proxies do it:
 * by weight, where the local weight shrinks once fewer than 1/1.4 of the planned instances are ready, and what it
 * loses goes to the other weighted regions, or by failover to those that can spare. The region that is full first
 * limits the whole. More ready instances never give less.
 */
export function admissibleRps(input: SplitInput): number {
  const { own, weights, perInstanceRps } = input;
  const planned = Math.max(1, input.plannedInstances);
  const ready = Math.max(0, input.readyInstances);
  const localWeight = weights[own] ?? 0;
  const kept = Math.min(1, (OVERPROVISIONING * ready) / planned);
  const others = Object.keys(weights).filter((name) => name !== own);
  const away = others.reduce((sum, name) => sum + (weights[name] ?? 0), 0);
  if (localWeight <= 0) return smallest(others.map((name) => roomFor(name, (weights[name] ?? 0) / away, input)));
  if (away > 0) {
    const total = localWeight * kept + away;
    // ready ÷ share of local, written so that it has its limit at 0 ready.
    const local = (localCapacity(ready, planned, kept) * perInstanceRps * total) / localWeight;
    return smallest([local, ...others.map((name) => roomFor(name, (weights[name] ?? 0) / total, input))]);
  }
  const failoverRps = others.reduce((sum, name) => sum + (input.spareRps[name] ?? 0), 0);
  if (failoverRps <= 0) return ready * perInstanceRps;
  const local = localCapacity(ready, planned, kept) * perInstanceRps;
  return kept >= 1 ? local : Math.min(local, failoverRps / (1 - kept));
}

/** Instances for each unit of the local weight that is kept: planned/1.4 while it shrinks, all that are ready after. */
function localCapacity(ready: number, planned: number, kept: number): number {
  return kept < 1 ? planned / OVERPROVISIONING : ready;
}

function roomFor(name: string, share: number, input: SplitInput): number {
  return share <= 0 ? Infinity : (input.spareRps[name] ?? 0) / share;
}

function smallest(values: readonly number[]): number {
  const least = Math.min(...values);
  return Number.isFinite(least) ? least : 0;
}

export interface ProxyLimits {
  rateLimitRps: number;
  burst: number;
  maxRequests: number;
  maxPendingRequests: number;
  maxConnections: number;
  /** Requests in flight that the admitted rate keeps by Little's law, at one proxy. */
  littleFloor: number;
}

export interface LimitsInput {
  admissibleRps: number;
  proxies: number;
  service: ServiceSpec;
  /** Local instances that are ready. */
  instances: number;
  /** Round trip to where the requests go, averaged by weight. */
  networkMs: number;
}

/**
 * Limits of one proxy that together admit `admissibleRps`, with the imbalance margin. In flight it allows what the
 * admitted rate keeps busy when every request takes its whole p99 SLO: more would wait past the SLO. Never fewer than
 * Little's law needs at the mean service time, nor than the workers of the ready instances.
 */
export function limitsFor(input: LimitsInput): ProxyLimits {
  const { service, networkMs } = input;
  const proxyRps = Math.max(1, (input.admissibleRps * IMBALANCE_MARGIN) / input.proxies);
  const littleFloor = littlesLaw(proxyRps, service.capacity.serviceTimeMs + networkMs);
  const workers = Math.ceil((input.instances * service.capacity.concurrency * IMBALANCE_MARGIN) / input.proxies);
  const withinSlo = littlesLaw(proxyRps, service.slo.p99Ms + networkMs);
  const maxRequests = Math.max(MIN_IN_FLIGHT, littleFloor, workers, withinSlo);
  const rateLimitRps = Math.ceil(proxyRps - 1e-9);
  return {
    rateLimitRps,
    burst: rateLimitRps,
    maxRequests,
    // Requests wait for a connection only while it is being made; right after a start that may be all of them.
    maxPendingRequests: maxRequests,
    // Idle connections to one endpoint count as well and must not keep a request to another endpoint waiting: at
    // the cap Envoy queues where `maxRequests` is to refuse.
    maxConnections: 2 * maxRequests,
    littleFloor,
  };
}

/** Mean number in the system: rate × time. */
export function littlesLaw(rps: number, ms: number): number {
  return Math.ceil((rps * ms) / 1000 - 1e-9);
}
