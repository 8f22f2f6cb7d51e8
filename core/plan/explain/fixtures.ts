import type { MeshPlan, PlanWindow, Reasoned, ServicePlan } from '../../spec/plan.js';
import type { ServiceSettings, SettingField } from '../../spec/settings.js';

const because = <T>(value: T, reason: string): Reasoned<T> => ({ value, reason });

const SETTINGS: ServiceSettings = {
  'lb.policy': 'LEAST_REQUEST',
  'lb.slowStartMs': 0,
  'rateLimit.rps': 400,
  'rateLimit.burst': 40,
  'rateLimit.enforcedPercent': 100,
  'breaker.maxConnections': 100,
  'breaker.maxPendingRequests': 50,
  'breaker.maxRequests': 80,
  'inbound.maxRequests': 16,
  'inbound.retryRps': 5,
  'retry.budgetPercent': 20,
  'retry.minConcurrency': 3,
  'retry.maxPerRequest': 1,
  'timeout.requestMs': 1000,
  'timeout.connectMs': 250,
  'outlier.consecutive5xx': 5,
  'outlier.intervalMs': 5000,
  'outlier.baseEjectionMs': 30_000,
  'outlier.maxEjectionPercent': 50,
  'health.intervalMs': 1000,
  'health.timeoutMs': 250,
  'health.unhealthyThreshold': 3,
  'health.healthyThreshold': 2,
};

export interface PlanChange extends Partial<Omit<ServicePlan, 'instances' | 'weights' | 'settings' | 'admission'>> {
  instances?: number;
  weights?: Readonly<Record<string, number>>;
  settings?: Partial<ServiceSettings>;
  admission?: number;
}

/** What a plan says of a service, in tests: reasons are made up. */
export function plannedService(service: string, change: PlanChange = {}): ServicePlan {
  const { instances = 4, weights = { north: 100, south: 0 }, settings = {}, admission, ...rest } = change;
  const values: [string, number | string][] = Object.entries({ ...SETTINGS, ...settings });
  return {
    service,
    demand: { quantile: 'p95', rps: 100, trust: 'high' },
    instances: { value: instances, reason: `100 rps need ${instances}`, inputs: { demandRps: 100 } },
    endpoints: [],
    perInstanceRps: 30,
    weights: Object.fromEntries(
      Object.entries(weights).map(([region, weight]) => [region, because(weight, `capacity of ${region}`)]),
    ),
    settings: Object.fromEntries(
      values.map(([field, value]) => [field, because(value, `${field} by the rule`)]),
    ) as unknown as { [F in SettingField]: Reasoned<ServiceSettings[F]> },
    bounds: {},
    ...(admission === undefined ? {} : { admission: because(admission, 'demand beyond capacity') }),
    ...rest,
  };
}

/** Windows of `hours` each, from 2026-01-01 at `firstHour`: each holds the services that it is given. */
export function plannedWindows(windows: readonly ServicePlan[][], hours = 1, firstHour = 0): PlanWindow[] {
  const at = (hour: number): string => new Date(Date.UTC(2026, 0, 1, hour)).toISOString();
  return windows.map((services, i) => {
    return { from: at(firstHour + i * hours), to: at(firstHour + (i + 1) * hours), services };
  });
}

export function planned(windows: readonly PlanWindow[], warnings: readonly string[] = []): MeshPlan {
  return { version: 1, region: 'north', windows, warnings };
}
