import type { AdmissionController } from '../control.js';
import type { LbPolicy, ServiceSettings } from '../../spec/settings.js';
import { CHILD, PURPOSE, mix, uniform } from './hash.js';
import type { Lane } from './lane.js';
import type { Place } from './place.js';
import { TokenBucket } from './tokenBucket.js';

/** How long Envoy keeps a connection that nobody uses (`UPSTREAM_IDLE` of `mesh/envoy/protocols.ts`). */
export const IDLE_MS = 4000;

/** One service as one proxy sees it: Envoy's cluster with its hosts, limits and what is in flight. */
export class View {
  readonly number: number;
  readonly place: Place;
  /** Of the region's. */
  readonly proxy: number;
  readonly hosts: number;
  policy: LbPolicy = 'LEAST_REQUEST';
  slowStartMs = 0;
  readonly userBucket: TokenBucket;
  readonly meshBucket: TokenBucket;
  enforcedPercent = 0;
  maxRequests = 0;
  maxPending = 0;
  maxConnections = 0;
  budget = 0;
  minRetries = 0;
  maxRetries = 0;
  connectTimeoutMs = 0;
  consecutive = 0;
  outlierIntervalMs = 0;
  baseEjectionMs = 0;
  maxEjectionPercent = 0;
  settings: ServiceSettings;
  lane: Lane | undefined;
  /** Counted at the breaker. */
  requests = 0;
  pending = 0;
  retries = 0;
  connections = 0;
  /** By host: requests, connections, those of them that nobody uses and since when; who waits for one. */
  readonly active: Int32Array;
  readonly connected: Int32Array;
  readonly idle: Int32Array;
  readonly idleSince: Float64Array;
  readonly waitHead: Int32Array;
  readonly waitTail: Int32Array;
  sweptAt = -Infinity;
  /** By host: failures in a row; out of rotation since when, how often; down by health checks; change of health due. */
  readonly streak: Int32Array;
  readonly ejectedAt: Float64Array;
  readonly ejections: Int32Array;
  readonly failsHealth: Uint8Array;
  readonly healthDue: Float64Array;
  ejected = 0;
  ticking = false;
  /** By host: when its share began to grow. */
  readonly startedAt: Float64Array;
  slowUntil = -Infinity;
  /** Usable hosts by locality, and what their localities and priorities get. Remade by `refresh`. */
  usable: Int32Array[] = [];
  localityPriority = new Int32Array(0);
  localityWeight = new Float64Array(0);
  localityCredit = new Float64Array(0);
  rotation = new Int32Array(0);
  /** By priority, percent that sum to 100; or all 0. */
  load: Float64Array = new Float64Array(0);
  available: Float64Array = new Float64Array(0);
  /** All requests go to this locality; −1: they are shared. */
  only = -1;
  /** By priority, made when they are needed. */
  tables: (Int32Array | undefined)[] = [];
  controller: AdmissionController | undefined;
  controlled = 0;
  entryController: AdmissionController | undefined;
  entryControlled = 0;
  /** Since the run began, for controls. */
  offered = 0;
  refused = 0;
  succeeded = 0;
  failed = 0;
  latencySum = 0;
  inFlight = 0;

  constructor(number: number, place: Place, proxy: number) {
    this.number = number;
    this.place = place;
    this.proxy = proxy;
    const hosts = place.instances.length + place.gateways.length;
    this.hosts = hosts;
    this.active = new Int32Array(hosts);
    this.connected = new Int32Array(hosts);
    this.idle = new Int32Array(hosts);
    this.idleSince = new Float64Array(hosts);
    this.waitHead = new Int32Array(hosts).fill(-1);
    this.waitTail = new Int32Array(hosts).fill(-1);
    this.streak = new Int32Array(hosts);
    this.ejectedAt = new Float64Array(hosts).fill(-1);
    this.ejections = new Int32Array(hosts);
    this.failsHealth = new Uint8Array(hosts);
    this.healthDue = new Float64Array(hosts).fill(-1);
    this.startedAt = new Float64Array(hosts).fill(-Infinity);
    this.settings = place.settings;
    this.userBucket = new TokenBucket(this.settings['rateLimit.rps'], this.settings['rateLimit.burst']);
    this.meshBucket = new TokenBucket(this.settings['rateLimit.rps'], this.settings['rateLimit.burst']);
    this.take(this.settings, 0);
  }

  /** What changed is in force from now; what is in flight goes on under what it began with. */
  take(settings: ServiceSettings, now: number): void {
    this.settings = settings;
    if (this.policy !== settings['lb.policy']) this.tables = [];
    this.policy = settings['lb.policy'];
    this.slowStartMs = settings['lb.slowStartMs'];
    this.userBucket.set(settings['rateLimit.rps'], settings['rateLimit.burst'], now);
    this.meshBucket.set(settings['rateLimit.rps'], settings['rateLimit.burst'], now);
    this.enforcedPercent = settings['rateLimit.enforcedPercent'];
    this.maxRequests = settings['breaker.maxRequests'];
    this.maxPending = settings['breaker.maxPendingRequests'];
    this.maxConnections = settings['breaker.maxConnections'];
    this.budget = settings['retry.budgetPercent'] / 100;
    this.minRetries = settings['retry.minConcurrency'];
    this.maxRetries = settings['retry.maxPerRequest'];
    this.connectTimeoutMs = settings['timeout.connectMs'];
    this.consecutive = settings['outlier.consecutive5xx'];
    this.outlierIntervalMs = settings['outlier.intervalMs'];
    this.baseEjectionMs = settings['outlier.baseEjectionMs'];
    this.maxEjectionPercent = settings['outlier.maxEjectionPercent'];
  }

  isUsable(host: number): boolean {
    return this.failsHealth[host] === 0 && this.ejectedAt[host]! < 0;
  }

  /** When this proxy first asks `host` for its health at or after `time`. */
  nextProbe(host: number, time: number): number {
    const interval = this.settings['health.intervalMs'];
    const phase = uniform(mix(this.number, host + CHILD), PURPOSE.probe) * interval;
    return phase + Math.ceil((time - phase) / interval) * interval;
  }
}
