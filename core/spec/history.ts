import type { PrometheusAccess, PrometheusPreset } from './prometheus.js';

/** Where the demand that was measured comes from: the worker's own files, or a Prometheus-compatible server. */
export type HistorySpec = CsvHistorySpec | PrometheusHistorySpec;

interface HistoryCommon {
  stepSeconds: number;
  /** CSV `timestamp[,service],name…` of values known over history and horizon. */
  regressors?: { file: string };
  /**
   * Long CSV of demand in another region, whose shape a service with too little history here borrows. `scale`: demand
   * here for one request there, used until steps in common tell.
   */
  borrow?: { file: string; scale?: number };
}

export interface CsvHistorySpec extends HistoryCommon {
  kind: 'csv';
  /** Long CSV `timestamp,service,rps`; relative to the worker's working directory. */
  file: string;
}

export interface PrometheusHistorySpec extends HistoryCommon {
  kind: 'prometheus';
  prometheus: PrometheusHistoryQuery;
}

/** Exactly one of `preset` and `query`. docs/prometheus.md has the PromQL of each preset. */
export interface PrometheusHistoryQuery extends PrometheusAccess {
  preset?: PrometheusPreset;
  /** PromQL of requests per second over the step before each evaluation; `$step` stands for the step, as `3600s`. */
  query?: string;
  /** Label that names the service; absent: the preset's. */
  serviceLabel?: string;
  /** Value of that label → service, where they differ. Several values of one service add up. */
  names?: Readonly<Record<string, string>>;
  /** Further labels that the preset's series must have. */
  labels?: Readonly<Record<string, string>>;
  /** How far back to read. */
  days: number;
  /** The newest samples may still be on their way: what is younger is left for the next reading. */
  delaySeconds: number;
}
