/** Cumulative counters read from one proxy at one moment; only differences of two mean anything. */
export interface ProxySnapshot {
  host: string;
  /** Milliseconds since the epoch. */
  at: number;
  /** Hash of the plan that was to run when this was read; absent: not known. */
  planHash?: string;
  /** Absent: not known. */
  uptimeSeconds?: number;
  services: Readonly<Record<string, ServiceCounters>>;
}

export interface ServiceCounters {
  /** Requests that reached the route, refused ones included. */
  offered: number;
  /** Responses by class as the caller saw them, proxy-made ones included. Other answers without error (101, 3xx) are among the 2xx. */
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
  /** Empty: the proxy does not know the service, so nobody knows. */
  healthyByRegion: Readonly<Record<string, number>>;
  /** Instances of our own region that are up without being planned, and get no requests. Absent: none is known. */
  healthyUnplanned?: number;
  /** Requests answered, by region of the endpoint. */
  requestsByRegion: Readonly<Record<string, number>>;
  /** Latencies counted in each bucket, not below it. */
  latencyBuckets: readonly { lowMs: number; highMs: number; count: number }[];
}

/** What one service did in a window, over all proxies. Missing is `null`, never zero. */
export interface ServiceObservation {
  service: string;
  windowSeconds: number;
  requests: number;
  rps: number;
  /** 5xx over requests answered, 0–1; refusals of the rate limit are on neither side. */
  errorRate: number | null;
  errors: { upstream5xx: number; breaker: number; rateLimited: number; timeout: number; connect: number };
  /**
   * Of the merged histograms. The true quantile (nearest rank) is at most `p…ErrorMs` away, the width of its bucket;
   * where that is `null` beside a value, the value is a lower bound: the bucket is open.
   */
  p50Ms: number | null;
  p50ErrorMs: number | null;
  p90Ms: number | null;
  p90ErrorMs: number | null;
  p99Ms: number | null;
  p99ErrorMs: number | null;
  /** Requests in progress at the end of the window. */
  active: number;
  retries: number;
  /** Of our own region: what the proxy that sees the fewest sees, and the one that sees the most. */
  readyInstances: number | null;
  readyInstancesMost: number | null;
  saturation: Saturation;
  /** Cores and memory that all instances together use. */
  cpuCores: number | null;
  memoryMiB: number | null;
  /** Share of requests answered by each region, 0–1. */
  shareByRegion: Readonly<Record<string, number>>;
  /** `null`: no forecast for this moment. */
  forecast: ForecastComparison | null;
  /** Share of the region's proxies that this rests on, 0–1. */
  completeness: number;
  /** From the reading that is the oldest of these proxies' newest, to the judgement. */
  ageSeconds: number;
}

/** Shares of what the ready instances can do, 0–1, and above where they are overrun. */
export interface Saturation {
  /** Requests in progress in our own region, over ready instances × the concurrency of one. */
  busy: number | null;
  /** Cores used, over ready instances × the cores of one. */
  cpu: number | null;
}

/** Requests per second that came, against what was forecast for the same moment. */
export interface ForecastComparison {
  p50Rps: number;
  p95Rps: number;
  /** (observed − p50) / p50; `null` where p50 is zero. */
  relativeError: number | null;
  aboveP95: boolean;
}

/** Two sources that measured the same window and cannot both be right. */
export interface Contradiction {
  service: string;
  quantity: 'rps' | 'errorRate';
  proxies: number;
  other: number;
  /** A sentence with both numbers and the bound. */
  reason: string;
}

/** The one record that judge, tuner and forecaster read. */
export interface Observation {
  region: string;
  /** ISO 8601, UTC; end of the window, when it is judged. */
  at: string;
  /** Proxies that the region has. */
  proxies: number;
  /** Share of proxies whose two readings could be compared, 0–1. */
  completeness: number;
  /** From the oldest of the proxies' newest readings to `at`; `null` where there is none. */
  ageSeconds: number | null;
  /** What is older is stale and judged by nobody; `null`: no limit was set. */
  maxAgeSeconds: number | null;
  services: readonly ServiceObservation[];
  contradictions: readonly Contradiction[];
  problems: readonly string[];
}

export type Verdict = 'successful' | 'failed' | 'inconclusive';

export interface Judgement {
  verdict: Verdict;
  reason: string;
}
