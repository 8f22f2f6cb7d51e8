import type { Observation, ProxySnapshot, ServiceCounters, ServiceObservation } from '../spec/observation.js';
import type { ServicePlan } from '../spec/plan.js';
import type { ServiceSignals } from '../spec/signals.js';
import type { ServiceSettings, SettingField } from '../spec/settings.js';
import type { DemandQuantiles, ServiceContext, TuningContext } from './types.js';

/** Contexts for tests: a quiet region in which nothing needs doing, to be made worse by the test. */

/** A service that nobody asked for anything: known, and quiet. */
export const QUIET: Partial<ServiceObservation> = {
  requests: 0,
  rps: 0,
  errorRate: null,
  p50Ms: null,
  p50ErrorMs: null,
  p90Ms: null,
  p90ErrorMs: null,
  p99Ms: null,
  p99ErrorMs: null,
  active: 0,
  shareByRegion: {},
};

/** What a second source tells of a service that it knows nothing of. */
export const UNKNOWN_SIGNALS: Omit<ServiceSignals, 'service' | 'ageSeconds'> = {
  rps: null,
  errorRate: null,
  p50Ms: null,
  p99Ms: null,
  readyInstances: null,
  cpuCores: null,
  memoryMiB: null,
};

const SETTINGS: ServiceSettings = {
  'lb.policy': 'LEAST_REQUEST',
  'lb.slowStartMs': 0,
  'inbound.maxRequests': 40,
  'inbound.retryRps': 5,
  'rateLimit.rps': 100,
  'rateLimit.burst': 50,
  'rateLimit.enforcedPercent': 100,
  'breaker.maxConnections': 100,
  'breaker.maxPendingRequests': 20,
  'breaker.maxRequests': 40,
  'retry.budgetPercent': 20,
  'retry.minConcurrency': 3,
  'retry.maxPerRequest': 1,
  'timeout.requestMs': 1000,
  'timeout.connectMs': 250,
  'outlier.consecutive5xx': 5,
  'outlier.intervalMs': 5000,
  'outlier.baseEjectionMs': 10_000,
  'outlier.maxEjectionPercent': 50,
  'health.intervalMs': 1000,
  'health.timeoutMs': 500,
  'health.unhealthyThreshold': 2,
  'health.healthyThreshold': 1,
};

export const QUIET_FORECAST: DemandQuantiles = { p50: 50, p80: 60, p90: 65, p95: 70, p99: 80 };

export function servicePlan(service: string, bounds: ServicePlan['bounds'] = defaultBounds()): ServicePlan {
  const reasoned = Object.fromEntries(
    (Object.keys(SETTINGS) as SettingField[]).map((field) => [field, { value: SETTINGS[field], reason: 'test' }]),
  ) as unknown as ServicePlan['settings'];
  return {
    service,
    demand: { quantile: 'p95', rps: 70, trust: 'high' },
    instances: { value: 4, reason: 'test' },
    endpoints: [],
    perInstanceRps: 50,
    weights: { here: { value: 100, reason: 'test' } },
    settings: reasoned,
    bounds,
  };
}

function defaultBounds(): ServicePlan['bounds'] {
  return { 'rateLimit.rps': { min: 20, max: 200 }, 'breaker.maxRequests': { min: 4, max: 80 } };
}

export function seen(service: string, change: Partial<ServiceObservation> = {}): ServiceObservation {
  return {
    service,
    windowSeconds: 10,
    requests: 500,
    rps: 50,
    errorRate: 0,
    errors: { upstream5xx: 0, breaker: 0, rateLimited: 0, timeout: 0, connect: 0 },
    p50Ms: 20,
    p50ErrorMs: 1,
    p90Ms: 50,
    p90ErrorMs: 1,
    p99Ms: 80,
    p99ErrorMs: 1,
    active: 2,
    retries: 0,
    readyInstances: 4,
    readyInstancesMost: 4,
    saturation: { busy: 0.1, cpu: null },
    cpuCores: null,
    memoryMiB: null,
    shareByRegion: { here: 1 },
    forecast: null,
    completeness: 1,
    ageSeconds: 0,
    ...change,
  };
}

export function observation(services: readonly ServiceObservation[], completeness = 1): Observation {
  return {
    region: 'here',
    at: '2026-01-01T00:00:10.000Z',
    proxies: 2,
    completeness,
    ageSeconds: 0,
    maxAgeSeconds: 30,
    services,
    contradictions: [],
    problems: [],
  };
}

export function serviceContext(service: string, change: Partial<ServiceContext> = {}): ServiceContext {
  return {
    plan: servicePlan(service),
    slo: { p99Ms: 200, maxErrorRate: 0.01 },
    capacity: { concurrency: 4, serviceTimeMs: 20 },
    live: { 'rateLimit.rps': 100, 'breaker.maxRequests': 40 },
    callees: [],
    forecast: QUIET_FORECAST,
    trust: 'high',
    ...change,
  };
}

export function tuningContext(change: Partial<TuningContext> = {}): TuningContext {
  return {
    planHash: 'a'.repeat(64),
    observation: observation([seen('shop')]),
    services: [serviceContext('shop')],
    proxies: 1,
    operate: { tickSeconds: 10, maxStepFraction: 0.1, maxInconclusiveTicks: 3, minRequestsPerTick: 50 },
    frozen: false,
    inFlight: null,
    overrides: [],
    ...change,
  };
}

export function counters(change: Partial<ServiceCounters> = {}): ServiceCounters {
  return {
    offered: 0,
    responses2xx: 0,
    responses4xx: 0,
    responses5xx: 0,
    rateLimited: 0,
    rateLimitWould: 0,
    breakerOverflow: 0,
    timeouts: 0,
    retries: 0,
    connectFailures: 0,
    active: 0,
    healthyByRegion: { here: 2 },
    requestsByRegion: {},
    latencyBuckets: [],
    ...change,
  };
}

export function snapshot(host: string, at: number, services: Record<string, ServiceCounters>): ProxySnapshot {
  return { host, at, services };
}
