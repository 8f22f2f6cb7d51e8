import type { LiveService } from '../../core/spec/live.js';
import type { SettingField } from '../../core/spec/settings.js';
import { isTcp } from './names.js';

/** Which proxy a setting is in: that of every caller, its route at callers or edge, the edge's, the callee's own. */
export type IstioSeat = 'caller' | 'route' | 'edge' | 'callee' | 'nowhere';

export interface IstioCarrier {
  seat: IstioSeat;
  /** The field that carries it, or why none does. */
  by: string;
  /** What arrives otherwise than it is written. */
  but?: string;
}

/** Where each setting is in Istio. What is `nowhere` is not compared with what runs. */
export const ISTIO_PROJECTION: Readonly<Record<SettingField, IstioCarrier>> = {
  'lb.policy': { seat: 'caller', by: 'DestinationRule loadBalancer.simple, or consistentHash' },
  'lb.slowStartMs': {
    seat: 'caller',
    by: 'DestinationRule loadBalancer.warmup',
    but: 'LEAST_REQUEST and ROUND_ROBIN alone',
  },
  'rateLimit.rps': {
    seat: 'edge',
    by: 'EnvoyFilter, local_ratelimit on the route of an entry',
    but: 'of a service that is no entry at its own proxies: the rate of all proxies over its instances',
  },
  'rateLimit.burst': { seat: 'edge', by: 'EnvoyFilter, as rateLimit.rps', but: 'over instances it is rounded up' },
  'rateLimit.enforcedPercent': { seat: 'edge', by: 'EnvoyFilter, as rateLimit.rps' },
  'breaker.maxConnections': { seat: 'caller', by: 'DestinationRule connectionPool.tcp.maxConnections' },
  'breaker.maxPendingRequests': { seat: 'caller', by: 'DestinationRule connectionPool.http.http1MaxPendingRequests' },
  'breaker.maxRequests': { seat: 'caller', by: 'DestinationRule connectionPool.http.http2MaxRequests' },
  'inbound.maxRequests': { seat: 'callee', by: 'Sidecar inboundConnectionPool.http.http2MaxRequests' },
  'inbound.retryRps': { seat: 'callee', by: 'EnvoyFilter, local_ratelimit of what is no first attempt' },
  'retry.budgetPercent': { seat: 'caller', by: 'DestinationRule retryBudget.percent' },
  'retry.minConcurrency': {
    seat: 'caller',
    by: 'DestinationRule retryBudget.minRetryConcurrency',
    but: '0 becomes 1: Istio reads 0 as 3',
  },
  'retry.maxPerRequest': { seat: 'route', by: 'VirtualService retries.attempts' },
  'timeout.requestMs': { seat: 'route', by: 'VirtualService timeout', but: 'none for websocket' },
  'timeout.connectMs': { seat: 'caller', by: 'DestinationRule connectionPool.tcp.connectTimeout' },
  'outlier.consecutive5xx': { seat: 'caller', by: 'DestinationRule outlierDetection.consecutive5xxErrors' },
  'outlier.intervalMs': { seat: 'caller', by: 'DestinationRule outlierDetection.interval' },
  'outlier.baseEjectionMs': { seat: 'caller', by: 'DestinationRule outlierDetection.baseEjectionTime' },
  'outlier.maxEjectionPercent': {
    seat: 'caller',
    by: 'DestinationRule outlierDetection.maxEjectionPercent',
    but: '0 becomes 1: Istio reads 0 as 10',
  },
  'health.intervalMs': {
    seat: 'nowhere',
    by: 'Istio has no active checks by callers: readiness is the workload’s own',
  },
  'health.timeoutMs': { seat: 'nowhere', by: 'as health.intervalMs' },
  'health.unhealthyThreshold': { seat: 'nowhere', by: 'as health.intervalMs' },
  'health.healthyThreshold': { seat: 'nowhere', by: 'as health.intervalMs' },
};

const NEVER_ZERO: ReadonlySet<SettingField> = new Set(['retry.minConcurrency', 'outlier.maxEjectionPercent']);

/** The value that a proxy under Istio has where the plan's is `settings[field]`; absent: it has none. */
export function projected(service: LiveService, field: SettingField): number | string | undefined {
  const value = service.settings[field];
  if (field === 'lb.slowStartMs' && !startsSlowly(service)) return 0;
  if (isTcp(service) && !OF_BYTES.has(field)) return LIMITS_OF_REQUESTS.has(field) ? UNLIMITED : undefined;
  if (field === 'timeout.requestMs' && service.protocol === 'websocket') return 0;
  return NEVER_ZERO.has(field) ? Math.max(1, Number(value)) : value;
}

/** Policies in which the share of a new endpoint can grow. */
export function startsSlowly({ settings }: LiveService): boolean {
  return settings['lb.policy'] === 'LEAST_REQUEST' || settings['lb.policy'] === 'ROUND_ROBIN';
}

/** What Istio writes where nothing is said. */
export const UNLIMITED = 4_294_967_295;

const LIMITS_OF_REQUESTS: ReadonlySet<SettingField> = new Set(['breaker.maxPendingRequests', 'breaker.maxRequests']);

const OF_BYTES: ReadonlySet<SettingField> = new Set([
  'lb.policy',
  'lb.slowStartMs',
  'breaker.maxConnections',
  'inbound.maxRequests',
  'timeout.connectMs',
  'outlier.consecutive5xx',
  'outlier.intervalMs',
  'outlier.baseEjectionMs',
  'outlier.maxEjectionPercent',
]);
