/**
 * Settings of one service on one proxy. Each is addressable as `<service>.<field>` (`checkout.rateLimit.rps`);
 * locality weights as `<service>.weight.<region>` (percent of requests, summing to 100 over regions).
 * Rates and limits are per proxy: the plan has divided the region's by its proxies already.
 */
export interface ServiceSettings {
  'lb.policy': LbPolicy;
  /** How long a new endpoint's share grows to its full size; 0: at once. */
  'lb.slowStartMs': number;
  /** Token bucket per proxy, requests per second. */
  'rateLimit.rps': number;
  'rateLimit.burst': number;
  /** 0: only counts what it would refuse; 100: refuses. */
  'rateLimit.enforcedPercent': number;
  'breaker.maxConnections': number;
  'breaker.maxPendingRequests': number;
  /** Concurrency limit: requests in flight to the service from one proxy. */
  'breaker.maxRequests': number;
  /** Requests that one instance works on or holds at a time, where a proxy stands in front of it; the rest is refused. */
  'inbound.maxRequests': number;
  /** Repeated requests a second that one instance accepts there; the first attempt is never counted. */
  'inbound.retryRps': number;
  'retry.budgetPercent': number;
  'retry.minConcurrency': number;
  'retry.maxPerRequest': number;
  'timeout.requestMs': number;
  'timeout.connectMs': number;
  'outlier.consecutive5xx': number;
  'outlier.intervalMs': number;
  'outlier.baseEjectionMs': number;
  'outlier.maxEjectionPercent': number;
  'health.intervalMs': number;
  'health.timeoutMs': number;
  'health.unhealthyThreshold': number;
  'health.healthyThreshold': number;
}

export const LB_POLICIES = ['LEAST_REQUEST', 'ROUND_ROBIN', 'RANDOM', 'RING_HASH', 'MAGLEV'] as const;
export type LbPolicy = (typeof LB_POLICIES)[number];
export type SettingField = keyof ServiceSettings;
export type SettingValue = number | string;

export interface SettingFieldInfo {
  unit: 'rps' | 'requests' | 'percent' | 'ms' | 'count' | 'name';
  /** Allowed values for an override or adjustment whatever the plan says. */
  min?: number;
  max?: number;
  oneOf?: readonly string[];
  integer?: boolean;
}

export const SETTING_FIELDS: Readonly<Record<SettingField, SettingFieldInfo>> = {
  'lb.policy': { unit: 'name', oneOf: LB_POLICIES },
  'lb.slowStartMs': { unit: 'ms', min: 0, max: 3_600_000, integer: true },
  'rateLimit.rps': { unit: 'rps', min: 1, max: 1_000_000 },
  'rateLimit.burst': { unit: 'requests', min: 1, max: 1_000_000, integer: true },
  'rateLimit.enforcedPercent': { unit: 'percent', min: 0, max: 100, integer: true },
  'breaker.maxConnections': { unit: 'count', min: 1, max: 1_000_000, integer: true },
  'breaker.maxPendingRequests': { unit: 'requests', min: 1, max: 1_000_000, integer: true },
  'breaker.maxRequests': { unit: 'requests', min: 1, max: 1_000_000, integer: true },
  'inbound.maxRequests': { unit: 'requests', min: 1, max: 1_000_000, integer: true },
  'inbound.retryRps': { unit: 'rps', min: 0.01, max: 1_000_000 },
  'retry.budgetPercent': { unit: 'percent', min: 0, max: 100 },
  'retry.minConcurrency': { unit: 'count', min: 0, max: 1000, integer: true },
  'retry.maxPerRequest': { unit: 'count', min: 0, max: 10, integer: true },
  'timeout.requestMs': { unit: 'ms', min: 1, max: 3_600_000, integer: true },
  'timeout.connectMs': { unit: 'ms', min: 1, max: 60_000, integer: true },
  'outlier.consecutive5xx': { unit: 'count', min: 1, max: 1000, integer: true },
  'outlier.intervalMs': { unit: 'ms', min: 100, max: 600_000, integer: true },
  'outlier.baseEjectionMs': { unit: 'ms', min: 100, max: 3_600_000, integer: true },
  'outlier.maxEjectionPercent': { unit: 'percent', min: 0, max: 100, integer: true },
  'health.intervalMs': { unit: 'ms', min: 100, max: 600_000, integer: true },
  'health.timeoutMs': { unit: 'ms', min: 50, max: 600_000, integer: true },
  'health.unhealthyThreshold': { unit: 'count', min: 1, max: 100, integer: true },
  'health.healthyThreshold': { unit: 'count', min: 1, max: 100, integer: true },
};
