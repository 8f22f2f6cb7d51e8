import type { ServiceSettings } from '../spec/settings.js';
import type { ServiceTime, TwinDemand, TwinModel, TwinPlace, TwinRun, TwinService } from './model.js';

/** Settings that limit nothing, repeat nothing and eject nobody; tests change what they are about. */
export function openSettings(change: Partial<ServiceSettings> = {}): ServiceSettings {
  return {
    'lb.policy': 'LEAST_REQUEST',
    'lb.slowStartMs': 0,
    'rateLimit.rps': 1_000_000,
    'rateLimit.burst': 1_000_000,
    'rateLimit.enforcedPercent': 100,
    'breaker.maxConnections': 1_000_000,
    'breaker.maxPendingRequests': 1_000_000,
    'breaker.maxRequests': 1_000_000,
    'inbound.maxRequests': 1_000_000,
    'inbound.retryRps': 1_000_000,
    'retry.budgetPercent': 20,
    'retry.minConcurrency': 3,
    'retry.maxPerRequest': 0,
    'timeout.requestMs': 3_600_000,
    'timeout.connectMs': 250,
    'outlier.consecutive5xx': 1000,
    'outlier.intervalMs': 1000,
    'outlier.baseEjectionMs': 10_000,
    'outlier.maxEjectionPercent': 0,
    'health.intervalMs': 1000,
    'health.timeoutMs': 500,
    'health.unhealthyThreshold': 3,
    'health.healthyThreshold': 2,
    ...change,
  };
}

export interface PlaceSketch {
  instances?: number;
  workers?: number;
  queue?: number;
  startupMs?: number;
  zones?: readonly string[];
  settings?: Partial<ServiceSettings>;
  change?: Partial<TwinPlace>;
}

/** Alike instances, their zones in turns. */
export function place(region: string, sketch: PlaceSketch = {}): TwinPlace {
  const { instances = 1, workers = 1, queue, startupMs = 1000, zones = ['a'], settings, change } = sketch;
  return {
    instances: Array.from({ length: instances }, (_, i) => ({
      zone: zones[i % zones.length] ?? 'a',
      workers,
      ...(queue === undefined ? {} : { queue }),
      startupMs,
    })),
    settings: openSettings(settings),
    weights: { [region]: 100 },
    behindInbound: false,
    ...change,
  };
}

/** One region, `proxies` client proxies; the first service is the entry `users`. */
export function oneRegion(services: readonly TwinService[], proxies = 1): TwinModel {
  const first = services[0]?.name ?? '';
  return {
    regions: [{ name: 'here', proxies }],
    network: [],
    services,
    entries: [{ name: 'users', service: first, deadlineMs: 1000, value: 1 }],
  };
}

export function service(
  name: string,
  time: ServiceTime,
  here: PlaceSketch,
  change: Partial<TwinService> = {},
): TwinService {
  return { name, time, stages: [], places: { here: place('here', here) }, ...change };
}

export function steady(rps: number): TwinDemand {
  return { entries: [{ entry: 'users', shape: 'step', points: [{ atMs: 0, rps }] }] };
}

export function runOf(model: TwinModel, rps: number, change: Partial<TwinRun> = {}): TwinRun {
  return { model, demand: steady(rps), durationMs: 10_000, seed: 1, ...change };
}
