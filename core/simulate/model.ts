import type { ServiceSettings } from '../spec/settings.js';
import type { AdmissionFactory, TwinControl } from './control.js';

/**
 * What the twin simulates: regions joined by a network, in each of them proxies and instances of services, routes by
 * which users enter. Plain data. Times are ms of simulated time, from 0; rates are requests per second.
 */
export interface TwinModel {
  /** Our own first. */
  regions: readonly TwinRegion[];
  /** Ways between two regions; absent pairs are 0 ms apart. Either direction. */
  network: readonly TwinWay[];
  services: readonly TwinService[];
  entries: readonly TwinEntry[];
  /** Distinct users that requests come from, uniformly: what hashing policies hash. Absent: 10,000. */
  users?: number;
}

export interface TwinRegion {
  name: string;
  /** Client proxies (one a host). Each has a limiter, breaker, balancer and outlier detection of its own. */
  proxies: number;
  /** One way between a proxy and an instance of the region. Absent: 0. */
  networkMs?: number;
}

export interface TwinWay {
  between: readonly [string, string];
  oneWayMs: number;
  /** Each passage takes up to so much longer, uniformly. Absent: 0. */
  jitterMs?: number;
}

/** How long a worker works on one request, before any factor of its instance. All have mean `meanMs`. */
export type ServiceTime =
  | { kind: 'constant'; meanMs: number }
  | { kind: 'exponential'; meanMs: number }
  /** `cv`: standard deviation over mean. */
  | { kind: 'lognormal'; meanMs: number; cv: number }
  /** Two exponential phases with balanced means; `cv` above 1. */
  | { kind: 'hyperexponential'; meanMs: number; cv: number }
  /** Straight between `timesMs[i]` at `levels[i]`; levels rise from 0 to 1. */
  | { kind: 'quantiles'; levels: readonly number[]; timesMs: readonly number[] };

export interface TwinService {
  name: string;
  time: ServiceTime;
  /** Stages one after another; the calls of one stage go out together. After the service's own work. */
  stages: readonly (readonly TwinCall[])[];
  /** A worker is held while its request waits for callees, as in thread-per-request servers. Absent: true. */
  holdsWorker?: boolean;
  /** What nobody waits for any more is dropped before it is worked on, and calls nobody. Absent: false. */
  dropsAbandoned?: boolean;
  /** Failed whatever happens, 0–1. Absent: 0. */
  errorShare?: number;
  /** Behaviour by region; a region that is not named has no instances and no route of this service. */
  places: Readonly<Record<string, TwinPlace>>;
}

export interface TwinCall {
  service: string;
  /** Calls for one request; a fraction is the chance of one more. */
  callsPerRequest: number;
  /** The same for requests of one entry route; absent routes: `callsPerRequest`. */
  byEntry?: Readonly<Record<string, number>>;
  /** A failure of this call is no failure of its caller. Absent: false. */
  optional?: boolean;
}

/** One service in one region, seen by that region's proxies. */
export interface TwinPlace {
  /** Those the mesh knows at time 0, in the order in which targets fill them. */
  instances: readonly TwinInstance[];
  /** Instances that control or faults may bring up beyond those; like the last of `instances`. Absent: none. */
  maxInstances?: number;
  /** What the region's proxies run: the very numbers that are rendered into Envoy. */
  settings: ServiceSettings;
  /** Percent by region, as `LiveService.weights`. */
  weights: Readonly<Record<string, number>>;
  /** Regions without weight that stand by, the first first. Absent: none. */
  failover?: readonly string[];
  /** Each instance has a proxy in front (`inbound.*` holds). */
  behindInbound: boolean;
  /** What a proxy asks for again. Absent: as rendered: connect failures, and answers of failed instances where idempotent. */
  retryOn?: readonly RetryOn[];
  /** Absent: base 5, most 50, as rendered. */
  backOff?: { baseMs: number; maxMs: number };
  /** Of one attempt. Absent: none, as rendered. */
  perTryTimeoutMs?: number;
  /** Fewer healthy endpoints than this percent of a priority: all of it are asked. Absent: 0, as rendered. */
  panicThresholdPercent?: number;
  /** A successful health check ends an ejection, as Envoy's default has it. Absent: true. */
  healthCheckEndsEjection?: boolean;
  /** HTTP/2: requests share connections. Absent: false: each has one of its own. */
  multiplexed?: boolean;
  /** Hashing policies (RING_HASH, MAGLEV) follow the user. Absent: false: they hash at random. */
  affinity?: boolean;
}

/** `connect`: no instance has begun it. `failure`: an instance failed it. `overload`: an inbound limit refused it. `perTry`: its own timeout. */
export type RetryOn = 'connect' | 'failure' | 'overload' | 'perTry';

export interface TwinInstance {
  zone: string;
  /** Requests worked on at a time; the rest waits, first come first served. */
  workers: number;
  /** Requests that may wait; one more is answered 503. Absent: no limit. */
  queue?: number;
  /** From the order to start until it answers. */
  startupMs: number;
  /** Multiplies service times. Absent: 1. */
  slowFactor?: number;
  /** Index of its region's proxy through which it calls others. Absent: its own index modulo the proxies. */
  proxy?: number;
  /** `starting`: known to the mesh, answers after `startupMs`. Absent: ready. */
  state?: 'ready' | 'starting';
}

/** What users ask for. */
export interface TwinEntry {
  name: string;
  service: string;
  /** Where it enters. Absent: our own region. */
  region?: string;
  /** Answered later than this is no good. */
  deadlineMs: number;
  /** Of one request answered in time, in the currency of costs. */
  value: number;
}

/** Open-loop arrivals by entry. What is not named gets none. */
export interface TwinDemand {
  entries: readonly EntryDemand[];
}

export interface EntryDemand {
  entry: string;
  /** By time; before the first as the first, after the last as the last. */
  points: readonly { atMs: number; rps: number }[];
  /** `linear` between points, or each point's rate until the next. */
  shape: 'linear' | 'step';
  /**
   * Index of dispersion of counts over 1 s: variance over mean, at least 1. 1 is Poisson; above, each second's rate is
   * multiplied by a gamma draw of mean 1. Absent: 1.
   */
  dispersion?: number;
}

/** Absent `untilMs`: for ever. Absent `region`: our own. */
export type TwinFault =
  /** Service times of one instance times `factor`. */
  | {
      kind: 'slowInstance';
      service: string;
      region?: string;
      instance: number;
      factor: number;
      fromMs: number;
      untilMs?: number;
    }
  /** `refuses`: connections fail at once; `silent`: they time out. What it worked on is lost. It comes back cold (`startupMs`). */
  | {
      kind: 'instanceDown';
      service: string;
      region?: string;
      instance: number;
      how: 'refuses' | 'silent';
      fromMs: number;
      untilMs?: number;
    }
  /** All instances of a zone, of every service there. */
  | { kind: 'zoneLost'; zone: string; region?: string; how: 'refuses' | 'silent'; fromMs: number; untilMs?: number }
  /** So large a share of a service's requests fails after the work; of one instance where that is named. */
  | {
      kind: 'failing';
      service: string;
      region?: string;
      instance?: number;
      errorShare: number;
      fromMs: number;
      untilMs?: number;
    }
  /** A way takes so much longer, one way. */
  | { kind: 'network'; between: readonly [string, string]; addMs: number; fromMs: number; untilMs?: number }
  /** All service times of a service times `factor`: 1/0.5 is half the capacity. */
  | { kind: 'slowService'; service: string; region?: string; factor: number; fromMs: number; untilMs?: number }
  /** The instances restart: not there for their `startupMs`. */
  | { kind: 'coldStart'; service: string; region?: string; instances: readonly number[]; atMs: number };

/** What a run is made of. */
export interface TwinRun {
  model: TwinModel;
  demand: TwinDemand;
  /** Absent: none. */
  faults?: readonly TwinFault[];
  /** Settings, weights and targets as time goes on. Absent: they stay. */
  control?: TwinControl;
  /** Limiters that act on each request. Absent: none. */
  admission?: AdmissionFactory;
  durationMs: number;
  /** Not counted in totals; windows have it. Absent: 0. */
  warmUpMs?: number;
  /** Absent: 1000. */
  windowMs?: number;
  /** Of every random draw. Two runs of one seed see the same arrivals and the same work of each request, whatever the policy. */
  seed: number;
}
