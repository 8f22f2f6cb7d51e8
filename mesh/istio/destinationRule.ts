import type { LiveService } from '../../core/spec/live.js';
import type { RegionSpec } from '../../core/spec/region.js';
import { Because } from '../document.js';
import type { Tree } from '../document.js';
import { told } from '../told.js';
import type { Fields, IstioObject, IstioPlace } from './names.js';
import { NETWORKING, hostOf, isTcp } from './names.js';
import type { Place } from './places.js';
import { failoverOrder, placesOf, sharesRequests } from './places.js';

/** Node's HTTP server, among others, closes idle connections after 5 s; we let go first, or requests meet the close. */
const UPSTREAM_IDLE = '4s';
/** Prime, as Maglev's tables must be; Envoy's own size. */
const MAGLEV_TABLE = 65_537;
const RING_SIZE = 1024;

/** How a service is called: balancing, weights by place, breakers, ejection, budget of retries. */
export function destinationRule(service: LiveService, region: RegionSpec, place: IstioPlace): IstioObject {
  return {
    apiVersion: NETWORKING,
    kind: 'DestinationRule',
    name: service.service,
    spec: {
      host: hostOf(service.service, place),
      trafficPolicy: {
        loadBalancer: { ...policy(service), localityLbSetting: localities(service, placesOf(service, region)) },
        connectionPool: connectionPool(service),
        outlierDetection: outlierDetection(service),
        ...(isTcp(service) ? {} : { retryBudget: retryBudget(service) }),
        ...mutualTls(region),
      },
    },
  };
}

function policy(service: LiveService): Fields {
  const name = service.settings['lb.policy'];
  const because = (value: string | number): Because => new Because(value, service.reasons['lb.policy']);
  switch (name) {
    case 'RING_HASH':
      return { consistentHash: { ...hashKey(service), ringHash: { minimumRingSize: because(RING_SIZE) } } };
    case 'MAGLEV':
      return { consistentHash: { ...hashKey(service), maglev: { tableSize: because(MAGLEV_TABLE) } } };
    case 'RANDOM':
      return { simple: because(name) };
    case 'LEAST_REQUEST':
    case 'ROUND_ROBIN':
      return { simple: because(name), ...warmup(service) };
  }
}

function hashKey({ affinity }: LiveService): Fields {
  if (affinity === undefined) return { useSourceIp: true };
  if ('header' in affinity) return { httpHeaderName: affinity.header };
  // Without a lifetime Istio's proxies wait for a cookie that nobody sets; 0 is until the browser closes.
  return { httpCookie: { name: affinity.cookie, ttl: '0s' } };
}

function warmup(service: LiveService): Fields {
  const slowStartMs = service.settings['lb.slowStartMs'];
  if (slowStartMs <= 0) return {};
  return { warmup: { duration: told(service).ms('lb.slowStartMs'), minimumPercent: 10, aggression: 1 } };
}

/**
 * Weights where regions share the requests; otherwise who takes over from whom, or nothing at all. Left out, Istio
 * would keep requests in the zone of the calling proxy as soon as ejection is on.
 */
function localities(service: LiveService, places: readonly Place[]): Fields {
  if (sharesRequests(places)) {
    const to = places.filter(({ percent, rank }) => rank === 0 && percent > 0).sort((a, b) => order(a, b));
    const weights = to.map((one) => [one.locality, weight(service, one)] as const);
    return { enabled: true, distribute: [{ from: '*', to: Object.fromEntries(weights) }] };
  }
  const labels = failoverOrder(places);
  if (labels.length === 0) return { enabled: new Because(false, 'one region answers: all its zones together') };
  return { enabled: true, failoverPriority: [...labels] };
}

function order(a: Place, b: Place): number {
  return a.locality < b.locality ? -1 : 1;
}

function weight(service: LiveService, place: Place): Because {
  const whole = service.weights[place.region] ?? 0;
  const part = whole === place.percent ? '' : `this zone's part of ${whole}: `;
  return new Because(place.percent, `${part}${service.reasons[`weight.${place.region}`] ?? ''}`);
}

/** Every limit is said: Istio's own are 2³² − 1, which is no breaker at all. */
function connectionPool(service: LiveService): Tree {
  const { value, ms } = told(service);
  const tcp = { maxConnections: value('breaker.maxConnections'), connectTimeout: ms('timeout.connectMs') };
  if (isTcp(service)) return { tcp };
  return {
    tcp,
    http: {
      http1MaxPendingRequests: value('breaker.maxPendingRequests'),
      http2MaxRequests: value('breaker.maxRequests'),
      maxRetries: new Because(
        Math.max(1, service.settings['retry.minConcurrency']),
        'counts only where a control plane older than the budget of retries below reads this',
      ),
      idleTimeout: UPSTREAM_IDLE,
    },
  };
}

/** Failures in a row alone: ejection by success rate is off in Istio, and by gateway errors is said to be. */
function outlierDetection(service: LiveService): Tree {
  const { value, ms } = told(service);
  const { settings, reasons } = service;
  return {
    consecutive5xxErrors: value('outlier.consecutive5xx'),
    consecutiveGatewayErrors: 0,
    interval: ms('outlier.intervalMs'),
    baseEjectionTime: ms('outlier.baseEjectionMs'),
    // Istio reads 0 as Envoy's default of 10.
    maxEjectionPercent: new Because(
      Math.max(1, settings['outlier.maxEjectionPercent']),
      reasons['outlier.maxEjectionPercent'],
    ),
    minHealthPercent: new Because(0, 'no panic: it would send requests to endpoints that are known to be down'),
  };
}

function retryBudget(service: LiveService): Tree {
  const { value } = told(service);
  const { settings, reasons } = service;
  return {
    percent: value('retry.budgetPercent'),
    // Istio reads 0 as Envoy's default of 3.
    minRetryConcurrency: new Because(Math.max(1, settings['retry.minConcurrency']), reasons['retry.minConcurrency']),
  };
}

/** Without files of our own the mesh's mutual TLS stays what it is: this object says nothing of it. */
function mutualTls({ tls }: RegionSpec): Fields {
  if (tls?.mesh === undefined) return {};
  const { certificateFile, privateKeyFile, caFile } = tls.mesh;
  return {
    tls: { mode: 'MUTUAL', clientCertificate: certificateFile, privateKey: privateKeyFile, caCertificates: caFile },
  };
}
