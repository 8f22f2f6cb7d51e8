/** Cumulative counters read from one proxy at one moment; only differences of two mean anything. */
export interface ProxySnapshot {
  host: string;
  /** Milliseconds since the epoch. */
  at: number;
  services: Readonly<Record<string, ServiceCounters>>;
}

export interface ServiceCounters {
  /** Requests that reached the route, refused ones included. */
  offered: number;
  /** Responses by class as the caller saw them, proxy-made ones included. */
  responses2xx: number;
  responses4xx: number;
  responses5xx: number;
  rateLimited: number;
  /** What the limit would have refused were it enforced. */
  rateLimitWould: number;
  breakerOverflow: number;
  timeouts: number;
  retries: number;
  connectFailures: number;
  /** Gauges */
  active: number;
  healthyByRegion: Readonly<Record<string, number>>;
  /** Instances of our own region that are up without being planned, and get no requests. Absent: none is known. */
  healthyUnplanned?: number;
  /** Requests answered, by region of the endpoint. */
  requestsByRegion: Readonly<Record<string, number>>;
  /** Upper bound in ms → cumulative count of latencies in the bucket (not ≤). */
  latencyBuckets: readonly { lowMs: number; highMs: number; count: number }[];
}

/** What one service did in a window, over all proxies. Missing is `null`, never zero. */
export interface ServiceObservation {
  service: string;
  windowSeconds: number;
  requests: number;
  rps: number;
  errorRate: number | null;
  errors: { upstream5xx: number; breaker: number; rateLimited: number; timeout: number; connect: number };
  p50Ms: number | null;
  p99Ms: number | null;
  active: number;
  retries: number;
  readyInstances: number;
  /** Share of requests answered by each region, 0–1. */
  shareByRegion: Readonly<Record<string, number>>;
}

/** The one record that judge, tuner and forecaster read. */
export interface Observation {
  region: string;
  /** ISO 8601, UTC; end of the window. */
  at: string;
  /** Share of proxies that answered both snapshots, 0–1. */
  completeness: number;
  services: readonly ServiceObservation[];
  problems: readonly string[];
}

export type Verdict = 'successful' | 'failed' | 'inconclusive';

export interface Judgement {
  verdict: Verdict;
  reason: string;
}
