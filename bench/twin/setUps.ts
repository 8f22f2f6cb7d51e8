import type { ServiceSettings } from '../../core/spec/settings.js';

/** What is built twice: of real Envoys with sample services, and in the twin. */
export interface SetUp {
  name: string;
  about: string;
  /** Client Envoys; users come to one of them at random. */
  proxies: number;
  /** What its bottleneck takes by the times stated here; loads are multiples of it. */
  capacityRps: number;
  /** Of a user's request that counts as goodput. */
  deadlineMs: number;
  /** The first is the entry; each calls the next one once, after its own work, and holds its worker meanwhile. */
  services: readonly SetUpService[];
}

export interface SetUpService {
  name: string;
  instances: number;
  workers: number;
  /** What its instances sleep. CV 0.5 where lognormal. */
  meanMs: number;
  distribution: 'exponential' | 'lognormal';
  /** What is planned otherwise. */
  settings: Partial<ServiceSettings>;
  /** A proxy stands in front of each instance. */
  behindInbound?: boolean;
  /** Failed answers may be repeated. */
  idempotent?: boolean;
  /** Share of requests that fail after the work. */
  failRate?: number;
}

/** Limits that are not what a set-up is about, and health checks as rare as planned. */
const WIDE: Partial<ServiceSettings> = {
  'rateLimit.rps': 5000,
  'rateLimit.burst': 5000,
  'breaker.maxConnections': 5000,
  'breaker.maxPendingRequests': 5000,
  'breaker.maxRequests': 5000,
  'retry.maxPerRequest': 0,
  'timeout.requestMs': 2000,
  'health.intervalMs': 1000,
  'lb.slowStartMs': 0,
};

/** Beyond every limit: how services are calibrated. */
export const UNLIMITED: Partial<ServiceSettings> = {
  ...WIDE,
  'inbound.maxRequests': 5000,
  'timeout.requestMs': 10_000,
};

export const SET_UPS: readonly SetUp[] = [
  {
    name: 'one service',
    about:
      'three instances of two workers behind two client Envoys, LEAST_REQUEST; each Envoy lets ten requests in at a time (`breaker.maxRequests`)',
    proxies: 2,
    capacityRps: 100,
    deadlineMs: 300,
    services: [
      {
        name: 'front',
        instances: 3,
        workers: 2,
        meanMs: 60,
        distribution: 'lognormal',
        settings: { ...WIDE, 'breaker.maxRequests': 10 },
      },
    ],
  },
  {
    name: 'chain of three',
    about:
      '`front` calls `cart`, `cart` calls `stock`, each by one Envoy and holding its worker; `stock` (two instances of two workers) is the bottleneck, with twelve requests at a time; users are let in at 1.3 times its capacity (`rateLimit.rps`)',
    proxies: 1,
    capacityRps: 100,
    deadlineMs: 400,
    services: [
      {
        name: 'front',
        instances: 2,
        workers: 16,
        meanMs: 20,
        distribution: 'lognormal',
        settings: { ...WIDE, 'rateLimit.rps': 130, 'rateLimit.burst': 20 },
      },
      { name: 'cart', instances: 2, workers: 12, meanMs: 20, distribution: 'lognormal', settings: WIDE },
      {
        name: 'stock',
        instances: 2,
        workers: 2,
        meanMs: 40,
        distribution: 'lognormal',
        settings: { ...WIDE, 'breaker.maxRequests': 12 },
      },
    ],
  },
  {
    name: 'doors and repeats',
    about:
      'three instances of two workers, each behind an Envoy that lets five requests in at a time (`inbound.maxRequests`); 5 % of requests fail after their work and are repeated once (`retry.maxPerRequest`, budget 20 %, three a second and instance)',
    proxies: 1,
    capacityRps: 100,
    deadlineMs: 400,
    services: [
      {
        name: 'front',
        instances: 3,
        workers: 2,
        meanMs: 60,
        distribution: 'exponential',
        behindInbound: true,
        idempotent: true,
        failRate: 0.05,
        settings: {
          ...WIDE,
          'inbound.maxRequests': 5,
          'inbound.retryRps': 3,
          'retry.maxPerRequest': 1,
          'retry.budgetPercent': 20,
          'retry.minConcurrency': 3,
        },
      },
    ],
  },
];
