import type { Criticality, ServiceSpec } from '../spec/region.js';
import { SETTING_FIELDS } from '../spec/settings.js';

/**
 * Balancers in front of the proxies do not split evenly, and a proxy's share of a limit must not refuse what another
 * proxy's share leaves unused: each gets this much more than an even share.
 */
export const IMBALANCE_MARGIN = 1.33;
/** Envoy's over-provisioning factor: a locality keeps its weight until fewer than 1/1.4 of its endpoints are healthy. */
export const OVERPROVISIONING = 1.4;
/** Below this a breaker would trip on the noise of single requests. */
const MIN_IN_FLIGHT = 10;
/** Connections are twice as many and have a highest value. */
const MOST_IN_FLIGHT = (SETTING_FIELDS['breaker.maxConnections'].max ?? Infinity) / 2;
/** Fewer slots than this at one proxy are no limit but a lottery: nothing may be set so low. */
export const FEWEST_SLOTS = 3;

/**
 * How generous a rate limit is. While nothing is shed all limits together admit at least what ready capacity serves,
 * with the imbalance margin or more; where the plan sheds, what is shed first has no margin, so that it is shed.
 *
 * | criticality | margin | burst, seconds of the rate | margin while its route is shed |
 * | --- | --- | --- | --- |
 * | critical | 1.66 | 2 | 1.33 |
 * | normal | 1.33 | 1 | 1.33 |
 * | sheddable | 1.33 | 0.5 | 1 |
 */
const GENEROSITY: Readonly<Record<Criticality, { margin: number; burstSeconds: number; shedMargin: number }>> = {
  critical: { margin: 1.66, burstSeconds: 2, shedMargin: IMBALANCE_MARGIN },
  normal: { margin: IMBALANCE_MARGIN, burstSeconds: 1, shedMargin: IMBALANCE_MARGIN },
  sheddable: { margin: IMBALANCE_MARGIN, burstSeconds: 0.5, shedMargin: 1 },
};

export interface LetIn {
  /** rps over all proxies, without the margin. */
  rps: number;
  margin: number;
  burstSeconds: number;
  /** Share of the demand, where the plan sheds. */
  admission?: number;
}

/**
 * What the rate limits of a service let in. `admission` is a share of the demand that it was planned with: together
 * they are what the way below has room for, so that demand beyond the forecast changes nothing about it.
 */
export function letIn(input: {
  service: ServiceSpec;
  admissibleRps: number;
  demandRps: number;
  admission?: number | undefined;
}): LetIn {
  const { margin, burstSeconds, shedMargin } = GENEROSITY[input.service.criticality ?? 'normal'];
  const { admission, admissibleRps } = input;
  if (admission === undefined || admission >= 1) return { rps: admissibleRps, margin, burstSeconds };
  const rps = Math.min(admissibleRps, Math.max(0, admission) * input.demandRps);
  return { rps, margin: shedMargin, burstSeconds, admission };
}

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
  letIn: LetIn;
  proxies: number;
  service: ServiceSpec;
  /** Local instances that are ready. */
  instances: number;
  /** Round trip to where the requests go, averaged by weight. */
  networkMs: number;
  /** Every instance is limited by a proxy in front of it. */
  behindInbound: boolean;
}

/**
 * Limits of one proxy. Its rate is its share of what is let in, with the margin; a burst is never less than the workers
 * that are ready. In flight it allows what its share of the admissible rate keeps busy when every request takes its
 * whole p99 SLO: more would wait past the SLO. Never fewer than Little's law needs at the mean service time, nor than
 * the workers of the ready instances.
 *
 * Where each instance is limited by a proxy in front of it, that limit holds whoever calls, and the one here is a
 * bulkhead only: it keeps one service from taking a proxy for itself. It is then what the whole service keeps in flight,
 * undivided, because a share of few slots among many proxies is none (80 slots over 200 proxies are 0.4 each).
 */
export function limitsFor(input: LimitsInput): ProxyLimits {
  const { service, networkMs, instances, proxies } = input;
  const { margin } = input.letIn;
  const { concurrency, serviceTimeMs } = service.capacity;
  const rateLimitRps = Math.ceil(Math.max(1, (input.letIn.rps * margin) / proxies) - 1e-9);
  const sharers = input.behindInbound ? 1 : proxies;
  const sharedRps = Math.max(1, (input.admissibleRps * IMBALANCE_MARGIN) / sharers);
  const littleFloor = littlesLaw(sharedRps, serviceTimeMs + networkMs);
  const workers = Math.ceil((instances * concurrency * IMBALANCE_MARGIN) / sharers);
  const withinSlo = littlesLaw(sharedRps, service.slo.p99Ms + networkMs);
  const maxRequests = Math.min(MOST_IN_FLIGHT, Math.max(MIN_IN_FLIGHT, littleFloor, workers, withinSlo));
  const readyAtOnce = input.letIn.admission === undefined ? Math.ceil((instances * concurrency * margin) / proxies) : 1;
  return {
    rateLimitRps,
    burst: Math.max(1, readyAtOnce, Math.ceil(rateLimitRps * input.letIn.burstSeconds)),
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
