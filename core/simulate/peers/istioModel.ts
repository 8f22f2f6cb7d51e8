import type { TwinModel, TwinPlace, TwinService } from '../model.js';
import type { ServiceSettings } from '../../spec/settings.js';

/** What Istio renders where a DestinationRule states no limit: 2^32 − 1. */
export const UNLIMITED = 4_294_967_295;
/** Istio has no request timeout unless a VirtualService states one; no run is so long. */
const NO_TIMEOUT_MS = 3_600_000;

/**
 * A mesh without a DestinationRule or a VirtualService (Istio 1.24 and later), with the kubelet's readiness probe in
 * the place of health checks. Nothing is limited and nobody is ejected.
 */
const SETTINGS: ServiceSettings = {
  'lb.policy': 'LEAST_REQUEST',
  'lb.slowStartMs': 0,
  'rateLimit.rps': UNLIMITED,
  'rateLimit.burst': UNLIMITED,
  'rateLimit.enforcedPercent': 0,
  'breaker.maxConnections': UNLIMITED,
  'breaker.maxPendingRequests': UNLIMITED,
  'breaker.maxRequests': UNLIMITED,
  'inbound.maxRequests': UNLIMITED,
  'inbound.retryRps': UNLIMITED,
  'retry.budgetPercent': 100,
  'retry.minConcurrency': UNLIMITED,
  'retry.maxPerRequest': 2,
  'timeout.requestMs': NO_TIMEOUT_MS,
  'timeout.connectMs': 10_000,
  'outlier.consecutive5xx': 1000,
  'outlier.intervalMs': 10_000,
  'outlier.baseEjectionMs': 30_000,
  'outlier.maxEjectionPercent': 0,
  'health.intervalMs': 10_000,
  'health.timeoutMs': 1000,
  'health.unhealthyThreshold': 3,
  'health.healthyThreshold': 1,
};

/** How a place of our own region differs from those defaults. */
export interface IstioChange {
  settings?: Readonly<Partial<ServiceSettings>>;
  place?: Readonly<Partial<TwinPlace>>;
}

/**
 * The model under Istio's defaults in our own region: our limits, weights and failover are gone, the instances stay.
 * Neighbours are not ours to run and stay as they are.
 */
export function istioModel(model: TwinModel, change: (service: TwinService) => IstioChange = () => ({})): TwinModel {
  const own = ownRegion(model);
  return {
    ...model,
    services: model.services.map((service) => {
      const place = service.places[own];
      if (place === undefined) return service;
      const { settings, place: more } = change(service);
      const under: TwinPlace = {
        ...place,
        settings: { ...SETTINGS, ...settings },
        weights: { [own]: 100 },
        failover: [],
        behindInbound: false,
        retryOn: ['connect', 'overload'],
        backOff: { baseMs: 25, maxMs: 250 },
        healthCheckEndsEjection: false,
        ...more,
      };
      return { ...service, places: { ...service.places, [own]: under } };
    }),
  };
}

/** Our own region's name. */
export function ownRegion(model: TwinModel): string {
  return model.regions[0]?.name ?? '';
}

/** Other regions that run the service, the nearest first; equals by name. */
export function neighboursOf(model: TwinModel, service: TwinService): string[] {
  const own = ownRegion(model);
  const distance = (region: string): number => {
    const way = model.network.find(({ between: [a, b] }) => (a === own && b === region) || (b === own && a === region));
    return way?.oneWayMs ?? 0;
  };
  return Object.keys(service.places)
    .filter((region) => region !== own)
    .sort((a, b) => distance(a) - distance(b) || (a < b ? -1 : 1));
}

/**
 * Request timeout of every service as a multiple of the shortest deadline of any entry, ms; 0: none, which is Istio's
 * default.
 */
export function timeoutMs(model: TwinModel, overDeadline: number): number {
  const shortest = Math.min(...model.entries.map(({ deadlineMs }) => deadlineMs));
  if (overDeadline <= 0 || !Number.isFinite(shortest)) return NO_TIMEOUT_MS;
  return Math.max(1, Math.round(overDeadline * shortest));
}
