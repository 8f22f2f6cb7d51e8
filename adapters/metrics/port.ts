import type { ProxySnapshot } from '../../core/spec/observation.js';

/**
 * Time series by measurement and tags, wide rows: one row a (measurement, tags, time) with named numeric fields.
 * Tags are low in cardinality: region, service, host.
 */
export interface MetricsStore {
  /** Resolves when the rows are durable; a row for the same key and time replaces the fields it names. */
  write(rows: readonly MetricRow[]): Promise<void>;
  /** Rows with from ≤ time < to, in time order. */
  query(query: MetricQuery): Promise<readonly MetricRow[]>;
  putSnapshots(region: string, snapshots: readonly ProxySnapshot[]): Promise<void>;
  /** The newest set of snapshots of a region taken at or before `beforeMs`; empty when there is none. */
  latestSnapshots(region: string, beforeMs: number): Promise<readonly ProxySnapshot[]>;
  close(): Promise<void>;
}

export interface MetricRow {
  measurement: string;
  tags: Readonly<Record<string, string>>;
  /** Milliseconds since the epoch. */
  at: number;
  fields: Readonly<Record<string, number>>;
}

export interface MetricQuery {
  measurement: string;
  /** Every named tag must match. */
  tags?: Readonly<Record<string, string>>;
  fromMs: number;
  toMs: number;
}
