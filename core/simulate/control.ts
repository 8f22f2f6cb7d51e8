import type { Observation } from '../spec/observation.js';
import type { ServiceSettings } from '../spec/settings.js';

/** A policy that looks and acts every `intervalMs`: an autoscaler, a tuner, a mesh's control plane. */
export interface TwinControl {
  intervalMs: number;
  /** What it returns is in force at once. It may keep state of its own; chance only from a seed of its own. */
  onTick(view: TwinView): readonly TwinAction[];
}

/** What a control sees of the interval that ended. */
export interface TwinView {
  nowMs: number;
  /** Ticks before this one. */
  tick: number;
  /** Of our own region, as its proxies would show it; what the twin does not know is `null`. */
  observation: Observation;
  /** Of all regions. */
  instances: readonly InstanceView[];
  /** Of our own region's proxies and services: what a split of client proxies is judged by. */
  proxies: readonly ProxyView[];
  entries: readonly EntryView[];
}

/** `down`: lost, and not started again. `starting` and `ready` cost. */
export type InstanceState = 'off' | 'starting' | 'ready' | 'draining' | 'down';

/** Counts are of the interval, at the instance's door. */
export interface InstanceView {
  service: string;
  region: string;
  instance: number;
  state: InstanceState;
  /** Busy workers over workers, averaged over the interval, 0–1. */
  utilisation: number;
  /** At its end. */
  queued: number;
  inFlight: number;
  offered: number;
  /** By its inbound limits or its queue. */
  refused: number;
  succeeded: number;
  /** Or answered when nobody waited any more. */
  failed: number;
  /** From its door and back, of what it answered with success. */
  latencySumMs: number;
  /** The longest that a request taken from the queue had waited in it, ms. */
  queuedMostMs: number;
}

/** One service at one client proxy, over the interval. */
export interface ProxyView {
  service: string;
  proxy: number;
  offered: number;
  refused: number;
  succeeded: number;
  failed: number;
  latencySumMs: number;
  /** At the end of the interval. */
  inFlight: number;
}

/** Users' requests of the interval, counted when they end; `offered` when they come. */
export interface EntryView {
  entry: string;
  offered: number;
  succeeded: number;
  withinDeadline: number;
  p50Ms: number | null;
  p95Ms: number | null;
  p99Ms: number | null;
}

/** A change of one service in one region. What is absent stays. */
export interface TwinAction {
  service: string;
  /** Absent: our own. */
  region?: string;
  settings?: Readonly<Partial<ServiceSettings>>;
  /** Client proxies that take `settings` (all but `inbound.*`). Absent: all. */
  proxies?: readonly number[];
  /** Instances whose own proxy takes `inbound.*` of `settings`. Absent: all. */
  instances?: readonly number[];
  /** Percent by region. */
  weights?: Readonly<Record<string, number>>;
  failover?: readonly string[];
  /** The first so many instances are to run: others start (`startupMs`), or drain and end. */
  targetInstances?: number;
}

/** Where a limiter stands: in front of a service at a client proxy, at a user's entry, or at an instance's door. */
export interface AdmissionPlace {
  side: 'entry' | 'client' | 'inbound';
  region: string;
  service: string;
  /** Of the region's client proxies; −1 at a door. */
  proxy: number;
  /** −1 at a proxy. */
  instance: number;
}

/**
 * One limiter. At an entry and at a client proxy it is asked before Envoy's own limits, at a door before
 * `inbound.maxRequests`. Every admitted request is answered for once.
 */
export interface AdmissionController {
  onRequest(request: AdmissionRequest): boolean;
  onResponse(response: AdmissionResponse): void;
}

/** The same object is used again for the next: keep no reference to it. */
export interface AdmissionRequest {
  nowMs: number;
  /** Admitted here and not yet answered. */
  inFlight: number;
  /** Index of the entry route in the model that the user came by. */
  entry: number;
  /** 1: the first attempt (seen at a door; elsewhere always 1). */
  attempt: number;
  /** Hash of the user's request, the same at every limiter on its way and in every policy: for draws by request. */
  key: number;
}

/** The same object is used again for the next: keep no reference to it. */
export interface AdmissionResponse {
  nowMs: number;
  latencyMs: number;
  /** `dropped`: timed out or reset, and so not known how long it would have taken. `refused`: by a limit behind this one. */
  outcome: 'ok' | 'failed' | 'refused' | 'dropped';
  inFlight: number;
  entry: number;
  /** As it was asked about. */
  key: number;
}

/** Called once for each place before the run; `undefined`: nothing limits there. Limiters may share state. */
export type AdmissionFactory = (place: AdmissionPlace) => AdmissionController | undefined;
