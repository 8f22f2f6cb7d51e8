/** Reads from a server that speaks Prometheus' HTTP API, version 1. */
export interface PrometheusClient {
  /** How messages name it: the address without secrets. */
  readonly name: string;
  /**
   * Values at every whole multiple of `stepMs` since the epoch from floor(fromMs) to floor(toMs), both ends included,
   * however many requests that takes. Rejects with a `PrometheusError`, or with the reason of `signal`.
   */
  range(query: RangeQuery, signal?: AbortSignal): Promise<PrometheusAnswer>;
  /** One value a series at `atMs`; every raw sample where the query ends in a range, as `up[5m]`. Rejects as `range`. */
  instant(query: InstantQuery, signal?: AbortSignal): Promise<PrometheusAnswer>;
}

export interface RangeQuery {
  /** PromQL */
  query: string;
  /** Milliseconds since the epoch. */
  fromMs: number;
  toMs: number;
  stepMs: number;
}

export interface InstantQuery {
  query: string;
  atMs: number;
}

export interface PrometheusAnswer {
  series: readonly PrometheusSeries[];
  /** What the server added: each once. */
  notices: readonly PrometheusNotice[];
  /** The server says that it could not read everything: what is missing cannot be told from what is not there. */
  isPartial: boolean;
}

export interface PrometheusSeries {
  /** With `__name__` where the query keeps it. */
  labels: Readonly<Record<string, string>>;
  /** In time order. What is not a finite number (NaN, ±Inf) is left out: it is missing, not zero. */
  samples: readonly PrometheusSample[];
}

export interface PrometheusSample {
  /** Milliseconds since the epoch. */
  at: number;
  value: number;
}

/** `warning`: the answer may be incomplete or wrong. `info`: the query may not mean what its author thinks. */
export interface PrometheusNotice {
  kind: 'warning' | 'info';
  text: string;
}

export interface PrometheusClientOptions {
  /** `/api/v1/query` is put behind it. */
  url: string;
  /** Added to every request; asked anew for each, so that a secret may change. May reject with a `PrometheusError`. */
  headers?: () => Promise<Readonly<Record<string, string>>>;
  /** Of one request. */
  timeoutMs: number;
  limits?: Partial<PrometheusLimits>;
}

export interface PrometheusLimits {
  /** Of one answer. */
  maxSeries: number;
  /** Of one series in one request: Prometheus refuses more than 11,000. */
  maxPointsPerQuery: number;
  /** Of one response, unpacked. */
  maxMiB: number;
  /** How often one request is sent at most. */
  attempts: number;
  /** Before the second attempt; doubled for each further one. */
  backoffMs: number;
  /** Longest pause, whatever `Retry-After` says. */
  maxBackoffMs: number;
}

export const PROMETHEUS_LIMITS: PrometheusLimits = {
  maxSeries: 2000,
  maxPointsPerQuery: 11_000,
  maxMiB: 64,
  attempts: 4,
  backoffMs: 250,
  maxBackoffMs: 5000,
};
