import type { NeighbourSpec, RegionSpec, ServiceSpec } from '../spec/region.js';
import type { Reasoned, ServicePlan } from '../spec/plan.js';
import { IMBALANCE_MARGIN, limitsFor, littlesLaw } from './limits.js';
import type { ProxyLimits } from './limits.js';
import { foldPaths } from './paths.js';
import type { Calls } from './paths.js';

/** Requests may be multiplied by retries, over a whole path of calls, by no more than this. */
export const MAX_AMPLIFICATION = 1.5;
/** A timeout cuts off what is hopeless, not what is slow: this many times the p99 SLO. */
const TIMEOUT_FACTOR = 4;
/** A caller waits this much longer than its slowest callee may take, so that it is the callee's timeout that strikes. */
const CALLER_MARGIN = 1.2;
/** Of what an instance takes, the most that may be repeated requests. */
const CALLEE_RETRY_SHARE = 0.1;
const MAX_RETRY_BUDGET_PERCENT = 20;
/** Envoy's own default. */
const MIN_RETRIES = 3;
const HEALTH_INTERVAL_MS = 1000;

type Settings = ServicePlan['settings'];

/** Mean round trip of a request to where it is answered, in ms; `networkLatencyMs` counts one way. */
export function networkMs(weights: Readonly<Record<string, number>>, neighbours: readonly NeighbourSpec[]): number {
  return neighbours.reduce((sum, n) => sum + ((weights[n.name] ?? 0) / 100) * 2 * n.networkLatencyMs, 0);
}

/** Request timeouts in ms by service: 4 × p99 SLO, and a caller's always above each of its callees'. */
export function requestTimeouts(region: RegionSpec, calls: Calls): Record<string, number> {
  const services = new Map(region.services.map((service) => [service.name, service]));
  const roundTripMs = 2 * Math.max(0, ...region.neighbours.map((neighbour) => neighbour.networkLatencyMs));
  return foldPaths(calls, (name, callees) => {
    const service = services.get(name);
    if (service === undefined) return 0;
    const own = TIMEOUT_FACTOR * service.slo.p99Ms + roundTripMs;
    const above = callees.map((ms) => ms * CALLER_MARGIN + service.capacity.serviceTimeMs);
    return Math.ceil(Math.max(own, ...above));
  });
}

/** Percent of requests in flight that may be retries, so that `layers` of them multiply to at most 1.5. */
export function retryBudgetPercent(layers: number): number {
  const exact = (MAX_AMPLIFICATION ** (1 / Math.max(1, layers)) - 1) * 100;
  return Math.min(MAX_RETRY_BUDGET_PERCENT, Math.floor(exact * 10) / 10);
}

export interface SettingsInput {
  region: RegionSpec;
  service: ServiceSpec;
  demandRps: number;
  admissibleRps: number;
  instances: number;
  perInstanceRps: number;
  weights: Readonly<Record<string, number>>;
  timeouts: Readonly<Record<string, number>>;
  calls: Readonly<Record<string, number>>;
  /** Services on the deepest path of calls in the region. */
  layers: number;
}

export function planSettings(input: SettingsInput): Settings {
  const limits = limitSettings(input);
  return { ...limits, ...callSettings(input, limits['breaker.maxRequests'].value), ...healthSettings(input) };
}

function limitSettings(input: SettingsInput): Pick<Settings, LimitField> {
  const { region, service } = input;
  const proxies = region.delivery.hosts.length;
  const rttMs = networkMs(input.weights, region.neighbours);
  const { admissibleRps, instances } = input;
  const limits = limitsFor({ admissibleRps, proxies, service, instances, networkMs: rttMs });
  const inputs = {
    admissibleRps: round(input.admissibleRps),
    demandRps: round(input.demandRps),
    proxies,
    margin: IMBALANCE_MARGIN,
  };
  const p99Ms = service.slo.p99Ms;
  const inFlight = { ...inputs, p99Ms, networkMs: round(rttMs), littleFloor: limits.littleFloor };
  return {
    'lb.policy': {
      value: 'LEAST_REQUEST',
      reason: 'the less loaded of two random endpoints waits far less than round robin or random choice',
    },
    'lb.slowStartMs': { value: 0, reason: 'every endpoint of a new region is new: none would be spared' },
    'inbound.maxRequests': {
      value: Math.max(service.capacity.concurrency, littlesLaw(input.perInstanceRps, service.slo.p99Ms)),
      reason: 'what one instance answers within the SLO while it is as busy as planned; more would wait past it',
      inputs: { perInstanceRps: round(input.perInstanceRps), p99Ms: service.slo.p99Ms },
    },
    'inbound.retryRps': {
      value: Math.max(1, round(input.perInstanceRps * CALLEE_RETRY_SHARE)),
      reason: 'a tenth of what one instance takes: however callers repeat requests, no more than that comes on top',
      inputs: { perInstanceRps: round(input.perInstanceRps) },
    },
    'rateLimit.rps': { value: limits.rateLimitRps, reason: rateReason(inputs), inputs },
    'rateLimit.burst': { value: limits.burst, reason: 'one second of the rate, so that bunched arrivals pass', inputs },
    'rateLimit.enforcedPercent': { value: 100, reason: 'refuses once activation has seen what it would refuse' },
    'breaker.maxRequests': { value: limits.maxRequests, reason: breakerReason(limits, inFlight), inputs: inFlight },
    'breaker.maxPendingRequests': {
      value: limits.maxPendingRequests,
      reason: 'all that may be in flight: right after a start they wait for their connections together',
      inputs: { maxRequests: limits.maxRequests },
    },
    'breaker.maxConnections': {
      value: limits.maxConnections,
      reason: 'twice what may be in flight: idle connections to one endpoint keep no request to another waiting',
      inputs: { maxRequests: limits.maxRequests },
    },
  };
}

type LimitField =
  | 'lb.policy'
  | 'lb.slowStartMs'
  | 'inbound.maxRequests'
  | 'inbound.retryRps'
  | 'rateLimit.rps'
  | 'rateLimit.burst'
  | 'rateLimit.enforcedPercent'
  | 'breaker.maxConnections'
  | 'breaker.maxPendingRequests'
  | 'breaker.maxRequests';

/** The sentences are shared with the live settings, which replace the numbers as capacity comes and goes. */
export function rateReason(n: { admissibleRps: number; proxies: number; margin: number }): string {
  return `${n.admissibleRps} rps can be served, over ${n.proxies} proxies with ${n.margin} for uneven balancing`;
}

export function breakerReason(limits: ProxyLimits, n: { p99Ms: number; networkMs: number }): string {
  const network = n.networkMs > 0 ? ` and ${n.networkMs} ms of network` : '';
  return `more in flight would wait past the p99 SLO of ${n.p99Ms} ms${network}; Little's law needs ${limits.littleFloor}`;
}

type CallField = Extract<keyof Settings, `retry.${string}` | `timeout.${string}`>;

function callSettings(input: SettingsInput, maxRequests: number): Pick<Settings, CallField> {
  const { service, layers } = input;
  const timeoutMs = input.timeouts[service.name] ?? TIMEOUT_FACTOR * service.slo.p99Ms;
  const callees = Object.keys(input.calls).map((name) => [`timeout of ${name}`, input.timeouts[name] ?? 0] as const);
  const slowest = Math.max(0, ...callees.map(([, ms]) => ms));
  const budget = retryBudgetPercent(layers);
  const furthestMs = Math.max(0, ...input.region.neighbours.map((neighbour) => neighbour.networkLatencyMs));
  const connectMs = Math.ceil(Math.min(timeoutMs / 2, 250 + 4 * furthestMs));
  return {
    'retry.budgetPercent': {
      value: budget,
      reason: `${layers} layers of retries multiply requests by at most ${MAX_AMPLIFICATION}`,
      inputs: { layers, maxAmplification: MAX_AMPLIFICATION },
    },
    'retry.minConcurrency': {
      value: Math.min(1000, Math.max(MIN_RETRIES, Math.ceil((maxRequests * budget) / 100))),
      reason: 'the budget of a full breaker: failures at connecting end so soon that few requests are in flight then',
      inputs: { maxRequests, budgetPercent: budget },
    },
    'retry.maxPerRequest': {
      value: 1,
      reason: 'once, elsewhere, and only what no endpoint has begun to work on: no layer repeats the work of another',
    },
    'timeout.requestMs': {
      value: timeoutMs,
      reason:
        slowest > 0
          ? `${TIMEOUT_FACTOR} times the p99 SLO, and longer than the slowest service that it calls`
          : `${TIMEOUT_FACTOR} times the p99 SLO: cuts off what is hopeless, not what is slow`,
      inputs: { p99Ms: service.slo.p99Ms, ...Object.fromEntries(callees) },
    },
    'timeout.connectMs': {
      value: Math.max(1, connectMs),
      reason: 'several round trips to the furthest neighbour, and at most half of the request timeout',
      inputs: { networkLatencyMs: furthestMs },
    },
  };
}

type HealthField = Extract<keyof Settings, `outlier.${string}` | `health.${string}`>;

function healthSettings({ region, service }: SettingsInput): Pick<Settings, HealthField> {
  const furthestMs = Math.max(0, ...region.neighbours.map((neighbour) => neighbour.networkLatencyMs));
  const timeoutMs = Math.ceil(Math.min(HEALTH_INTERVAL_MS, Math.max(250, service.slo.p99Ms + 2 * furthestMs)));
  return {
    'outlier.consecutive5xx': { value: 5, reason: 'five failures in a row are no chance at the error rates of an SLO' },
    'outlier.intervalMs': { value: 1000, reason: 'returns an endpoint soon after its time out of rotation' },
    'outlier.baseEjectionMs': { value: 10_000, reason: 'long enough for a restart, short enough to be found out soon' },
    'outlier.maxEjectionPercent': { value: 50, reason: 'never takes out more than half: the rest would fall over too' },
    'health.intervalMs': { value: HEALTH_INTERVAL_MS, reason: 'a dead endpoint is known within three seconds' },
    'health.timeoutMs': {
      value: timeoutMs,
      reason: 'the p99 SLO and a round trip to the furthest neighbour, at most one interval',
      inputs: { p99Ms: service.slo.p99Ms, networkLatencyMs: furthestMs },
    },
    'health.unhealthyThreshold': { value: 3, reason: 'one lost answer takes no endpoint out' },
    'health.healthyThreshold': { value: 2, reason: 'an endpoint that answers twice has finished starting' },
  };
}

/**
 * Ranges in which a number may be moved while the region runs: a rate from one ready instance's to that of all that
 * may ever be, a concurrency from what Little's law needs for the planned rate.
 */
export function planBounds(input: SettingsInput, settings: Settings): ServicePlan['bounds'] {
  const { region, service, perInstanceRps } = input;
  const proxies = region.delivery.hosts.length;
  const spareRps = region.neighbours.reduce((sum, neighbour) => sum + (neighbour.spareRps[service.name] ?? 0), 0);
  const furthestMs = Math.max(0, ...region.neighbours.map((neighbour) => neighbour.networkLatencyMs));
  const mostRps = ((service.endpoints.length * perInstanceRps + spareRps) * IMBALANCE_MARGIN) / proxies;
  const leastRps = Math.max(1, Math.floor(perInstanceRps / proxies));
  const { concurrency, serviceTimeMs } = service.capacity;
  const workers = Math.ceil((service.endpoints.length * concurrency * IMBALANCE_MARGIN) / proxies);
  const mostInFlight = Math.max(workers, littlesLaw(mostRps, service.slo.p99Ms + 2 * furthestMs));
  const needed = littlesLaw(input.admissibleRps / proxies, serviceTimeMs + 2 * furthestMs);
  const leastInFlight = Math.max(1, Math.ceil(concurrency / proxies), needed);
  return {
    'rateLimit.rps': range(leastRps, Math.ceil(mostRps), settings['rateLimit.rps']),
    'breaker.maxRequests': range(leastInFlight, mostInFlight, settings['breaker.maxRequests']),
  };
}

function range(min: number, max: number, planned: Reasoned<number>): { min: number; max: number } {
  return { min: Math.min(min, planned.value), max: Math.max(max, planned.value) };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
