/**
 * What a run showed. Plain JSON; the same run gives the same bytes. Counts of a window are by when things ended;
 * `offered` by when they came. Over a whole run without warm-up
 * `offered = succeeded + failed + timedOut + Σ refused + inFlight at the end`.
 */
export interface TwinResult {
  seed: number;
  durationMs: number;
  warmUpMs: number;
  windowMs: number;
  /** Largest relative error of every latency quantile here, from the width of the histogram's buckets. */
  quantileError: number;
  events: number;
  /** Attempts that reached an instance: what "service calls" are counted in. */
  serviceCalls: number;
  /** After the warm-up. */
  totals: TwinSlice;
  /** One a window, from 0. */
  windows: readonly TwinWindow[];
}

export interface TwinWindow extends TwinSlice {
  fromMs: number;
}

export interface TwinSlice {
  /** In the order of the model. */
  entries: readonly EntryResult[];
  /** By service in our own region, then in others: only places that exist. */
  services: readonly ServiceResult[];
}

/** Why a request was refused, and by whom: a proxy's limits, an instance's door, or a controller. */
export interface Refusals {
  rateLimit: number;
  /** A breaker at the caller: requests, pending or connections. */
  breaker: number;
  /** `inbound.maxRequests`. */
  inbound: number;
  /** `inbound.retryRps`. */
  inboundRetry: number;
  /** The instance's own queue was full. */
  queueFull: number;
  noHealthyHost: number;
  controller: number;
  /** A repeat that the budget did not allow; the request counts under what its attempt failed with. Not part of any sum. */
  retryBudget: number;
}

export interface Counts {
  offered: number;
  /** Let in by the rate limit and controllers at the proxy. */
  admitted: number;
  succeeded: number;
  /** An instance failed it, or could not be reached. */
  failed: number;
  timedOut: number;
  refused: Refusals;
  retries: number;
  /** At the end of the slice. */
  inFlight: number;
}

/** Of what succeeded; `null` where nothing did. */
export interface Latency {
  meanMs: number | null;
  p50Ms: number | null;
  p90Ms: number | null;
  p95Ms: number | null;
  p99Ms: number | null;
}

export interface EntryResult extends Counts {
  entry: string;
  /** Goodput: answered with success within the deadline. */
  withinDeadline: number;
  latency: Latency;
}

/** Calls to the service through proxies of one region. */
export interface ServiceResult extends Counts {
  service: string;
  region: string;
  latency: Latency;
  /** Busy workers over workers of ready instances, 0–1; `null` where there are none. */
  utilisation: number | null;
  /** Instances that are starting or ready, over time. */
  instanceSeconds: number;
  /** Attempts that were sent to another region. */
  egress: number;
  /** What `rateLimit` would have refused were it enforced. */
  rateLimitWould: number;
  /** Instances put out of rotation, over proxies. */
  ejections: number;
}
