import type { Reasoned, ServicePlan } from '../spec/plan.js';
import type { RegionSpec, ServiceSpec } from '../spec/region.js';
import { SETTING_FIELDS } from '../spec/settings.js';
import { inboundOf, isBehindInbound } from './inbound.js';
import type { InboundIndex } from './inbound.js';
import { balancingSettings } from './lb.js';
import { FEWEST_SLOTS, IMBALANCE_MARGIN, letIn, limitsFor, littlesLaw } from './limits.js';
import type { LetIn, ProxyLimits } from './limits.js';
import { outlierSettings } from './outlier.js';
import type { HealthField } from './outlier.js';
import { retrySettings } from './retries.js';
import type { RetryField, RetryLayers } from './retries.js';
import { furthestMs, networkMs, timeoutSettings } from './timeouts.js';
import { oneDecimal } from '../spec/oneDecimal.js';

type Settings = ServicePlan['settings'];

export interface SettingsInput {
  region: RegionSpec;
  service: ServiceSpec;
  demandRps: number;
  /** rps that can be served, or that are expected where that is more. */
  admissibleRps: number;
  instances: number;
  perInstanceRps: number;
  /** Percent by region. */
  weights: Readonly<Record<string, number>>;
  /** Regions without weight that stand by; absent: every neighbour that can spare anything. */
  standby?: readonly string[];
  /** ms by service; `requestTimeouts`. */
  timeouts: Readonly<Record<string, number>>;
  calls: Readonly<Record<string, number>>;
  /** `retryLayers` of the region. */
  retryLayers: RetryLayers;
  /** `inboundOf` the region; absent: read from it, which costs a walk through all its inbound proxies. */
  inbound?: InboundIndex;
  /** Of an entry: the share of its demand that the plan lets in, 0–1; absent: all. */
  admission?: number;
  /** Local instances in the window before; absent or 0: all endpoints are new. */
  previousInstances?: number;
}

/** Every setting of one service on one proxy, each with its reason. */
export function planSettings(input: SettingsInput): Settings {
  const { region, service } = input;
  const behindInbound = isBehindInbound(service, input.inbound ?? inboundOf(region));
  const limits = limitSettings(input, behindInbound);
  const retries = {
    ...{ service, behindInbound, perInstanceRps: input.perInstanceRps },
    layers: input.retryLayers,
    maxRequests: limits['breaker.maxRequests'].value,
    calls: input.calls,
  };
  const { instances, previousInstances = 0 } = input;
  const proxies = region.delivery.hosts.length;
  const balancing = balancingSettings({ service, proxies, instances, previousInstances });
  return assembled(
    balancing,
    limits,
    inboundLimit(input),
    retrySettings(retries),
    timeoutSettings(input),
    outlierSettings(input),
  );
}

/** Key by key: a plan has tens of thousands of these, and spreading parts into one took most of the time. */
function assembled(
  balancing: Pick<Settings, Extract<keyof Settings, `lb.${string}`>>,
  limits: Pick<Settings, LimitField>,
  inboundMaxRequests: Reasoned<number>,
  retries: Pick<Settings, RetryField>,
  timeouts: Pick<Settings, Extract<keyof Settings, `timeout.${string}`>>,
  health: Pick<Settings, HealthField>,
): Settings {
  return {
    'lb.policy': balancing['lb.policy'],
    'lb.slowStartMs': balancing['lb.slowStartMs'],
    'rateLimit.rps': limits['rateLimit.rps'],
    'rateLimit.burst': limits['rateLimit.burst'],
    'rateLimit.enforcedPercent': limits['rateLimit.enforcedPercent'],
    'breaker.maxConnections': limits['breaker.maxConnections'],
    'breaker.maxPendingRequests': limits['breaker.maxPendingRequests'],
    'breaker.maxRequests': limits['breaker.maxRequests'],
    'inbound.maxRequests': inboundMaxRequests,
    'inbound.retryRps': retries['inbound.retryRps'],
    'retry.budgetPercent': retries['retry.budgetPercent'],
    'retry.minConcurrency': retries['retry.minConcurrency'],
    'retry.maxPerRequest': retries['retry.maxPerRequest'],
    'timeout.requestMs': timeouts['timeout.requestMs'],
    'timeout.connectMs': timeouts['timeout.connectMs'],
    'outlier.consecutive5xx': health['outlier.consecutive5xx'],
    'outlier.intervalMs': health['outlier.intervalMs'],
    'outlier.baseEjectionMs': health['outlier.baseEjectionMs'],
    'outlier.maxEjectionPercent': health['outlier.maxEjectionPercent'],
    'health.intervalMs': health['health.intervalMs'],
    'health.timeoutMs': health['health.timeoutMs'],
    'health.unhealthyThreshold': health['health.unhealthyThreshold'],
    'health.healthyThreshold': health['health.healthyThreshold'],
  };
}

const ENFORCED = { value: 100, reason: 'refuses once activation has seen what it would refuse' } as const;

type LimitField = Extract<keyof Settings, `rateLimit.${string}` | `breaker.${string}`>;

function limitSettings(input: SettingsInput, behindInbound: boolean): Pick<Settings, LimitField> {
  const { region, service, admissibleRps, instances } = input;
  const proxies = region.delivery.hosts.length;
  const rttMs = networkMs(input.weights, region.neighbours);
  const admitted = letIn(input);
  const limits = limitsFor({
    ...{ admissibleRps, letIn: admitted, proxies, service, instances, networkMs: rttMs, behindInbound },
  });
  const { maxRequests } = limits;
  const { margin } = admitted;
  const inputs = { admissibleRps: oneDecimal(admissibleRps), demandRps: oneDecimal(input.demandRps), proxies, margin };
  const p99Ms = service.slo.p99Ms;
  const inFlight = { ...inputs, p99Ms, networkMs: oneDecimal(rttMs), littleFloor: limits.littleFloor };
  return {
    'rateLimit.rps': { value: limits.rateLimitRps, reason: rateReason(admitted, proxies), inputs },
    'rateLimit.burst': { value: limits.burst, reason: burstReason(admitted), inputs },
    'rateLimit.enforcedPercent': ENFORCED,
    'breaker.maxRequests': {
      value: maxRequests,
      reason: breakerReason(limits, { ...inFlight, behindInbound }),
      inputs: inFlight,
    },
    'breaker.maxPendingRequests': {
      value: limits.maxPendingRequests,
      reason: 'all that may be in flight: right after a start they wait for their connections together',
      inputs: { maxRequests },
    },
    'breaker.maxConnections': {
      value: limits.maxConnections,
      reason: 'twice what may be in flight: idle connections to one endpoint keep no request to another waiting',
      inputs: { maxRequests },
    },
  };
}

/**
 * What one instance keeps in flight at its planned rate when each request takes the whole p99 SLO. With c workers and
 * mean service time S so many are worked off in utilisation × p99, so that the last one let in is still in time; never
 * fewer than the workers.
 */
function inboundLimit({ service, perInstanceRps }: SettingsInput): Reasoned<number> {
  const { concurrency } = service.capacity;
  const { p99Ms } = service.slo;
  const most = SETTING_FIELDS['inbound.maxRequests'].max ?? Infinity;
  return {
    value: Math.min(most, Math.max(concurrency, littlesLaw(perInstanceRps, p99Ms))),
    reason: 'what one instance answers within the SLO while it is as busy as planned; more would wait past it',
    inputs: { perInstanceRps: oneDecimal(perInstanceRps), p99Ms, concurrency },
  };
}

/** The sentences are shared with the live settings, which replace the numbers as capacity comes and goes. */
export function rateReason(admitted: LetIn, proxies: number): string {
  const over = `over ${proxies} proxies with ${admitted.margin} for uneven balancing`;
  if (admitted.admission === undefined) return `${oneDecimal(admitted.rps)} rps can be served, ${over}`;
  const share = Math.round(admitted.admission * 100);
  return `the plan lets ${share} % of the demand in, ${oneDecimal(admitted.rps)} rps: services below have no room for more; ${over}`;
}

function burstReason({ burstSeconds, admission }: LetIn): string {
  const seconds = burstSeconds === 1 ? 'one second' : `${burstSeconds} s`;
  const workers = admission === undefined ? ', and never fewer than the workers that are ready' : '';
  return `${seconds} of the rate, so that bunched arrivals pass${workers}`;
}

export function breakerReason(
  limits: ProxyLimits,
  n: { p99Ms: number; networkMs: number; behindInbound: boolean },
): string {
  const network = n.networkMs > 0 ? ` and ${n.networkMs} ms of network` : '';
  const floor = `Little's law needs ${limits.littleFloor}`;
  if (n.behindInbound) return `a bulkhead: each instance limits itself, this is what all keep in flight; ${floor}`;
  return `more in flight would wait past the p99 SLO of ${n.p99Ms} ms${network}; ${floor}`;
}

/**
 * Ranges in which a number may be moved while the region runs: a rate from one ready instance's to that of all that
 * may ever be, a concurrency from what Little's law needs for the planned rate.
 */
export function planBounds(input: SettingsInput, settings: Settings): ServicePlan['bounds'] {
  const { region, service, perInstanceRps } = input;
  const { endpoints, capacity, slo } = service;
  const proxies = region.delivery.hosts.length;
  const sharers = isBehindInbound(service, input.inbound ?? inboundOf(region)) ? 1 : proxies;
  const spareRps = region.neighbours.reduce((sum, neighbour) => sum + (neighbour.spareRps[service.name] ?? 0), 0);
  const furthest = furthestMs(region);
  const allRps = endpoints.length * perInstanceRps + spareRps;
  const { margin } = letIn({ service, admissibleRps: allRps, demandRps: 0 });
  const leastRps = Math.max(1, Math.floor(perInstanceRps / proxies));
  const workers = Math.ceil((endpoints.length * capacity.concurrency * IMBALANCE_MARGIN) / sharers);
  const withinSlo = littlesLaw((allRps * IMBALANCE_MARGIN) / sharers, slo.p99Ms + 2 * furthest);
  const needed = littlesLaw(input.admissibleRps / proxies, capacity.serviceTimeMs + 2 * furthest);
  const leastInFlight = Math.max(FEWEST_SLOTS, Math.ceil(capacity.concurrency / proxies), needed);
  return {
    'rateLimit.rps': range(leastRps, Math.ceil((allRps * margin) / proxies), settings['rateLimit.rps']),
    'breaker.maxRequests': range(leastInFlight, Math.max(workers, withinSlo), settings['breaker.maxRequests']),
  };
}

function range(min: number, max: number, planned: Reasoned<number>): { min: number; max: number } {
  return { min: Math.min(min, planned.value), max: Math.max(max, planned.value) };
}
