import type { PrometheusAccess, PrometheusPreset } from './prometheus.js';

/** Another source than our own reading of the proxies, to compare with and to fill in what proxies cannot tell. */
export interface SignalsSpec {
  prometheus: PrometheusSignalsSpec;
}

/** At least one of `preset` and `queries`; an own query takes the place of the preset's for its field. */
export interface PrometheusSignalsSpec extends PrometheusAccess {
  preset?: PrometheusPreset;
  /** PromQL by field; `$window` stands for the window, as `60s`, `$maxAge` for the greatest age in seconds. */
  queries?: Readonly<Partial<Record<SignalQuery, string>>>;
  /** Label that names the service in request metrics and own queries; absent: the preset's. */
  serviceLabel?: string;
  /** Value of that label, of `deployment` and of `job` → service, where they differ. */
  names?: Readonly<Record<string, string>>;
  /** Further labels that the preset's request metrics must have. */
  labels?: Readonly<Record<string, string>>;
  /** Kubernetes namespace of the workloads: of ready instances, CPU and memory. Absent: any. */
  namespace?: string;
  /** Rates are taken over the window that is asked for, and never over less than this: at least 4 scrapes. */
  minWindowSeconds: number;
  /** What rests on samples older than this is not known. */
  maxAgeSeconds: number;
}

export const SIGNAL_FIELDS = ['rps', 'errorRate', 'p50Ms', 'p99Ms', 'readyInstances', 'cpuCores', 'memoryMiB'] as const;
export type SignalField = (typeof SIGNAL_FIELDS)[number];

/** `newest`: the time of the newest sample by service, in seconds since the epoch. */
export const SIGNAL_QUERIES = [...SIGNAL_FIELDS, 'newest'] as const;
export type SignalQuery = (typeof SIGNAL_QUERIES)[number];
