import type { ProxySnapshot } from '../../core/spec/observation.js';

/** Time series that can be read: our own stores, and those of others such as Prometheus. */
export interface MetricsReader {
  /** Rows with from ≤ time < to, in time order. */
  query(query: MetricQuery, signal?: AbortSignal): Promise<readonly MetricRow[]>;
  close(): Promise<void>;
}

/**
 * Time series by measurement and tags, wide rows: one row a (measurement, tags, time) with named numeric fields.
 * Tags are low in cardinality: region, service, host.
 */
export interface MetricsStore extends MetricsReader {
  /**
   * Resolves when the rows are durable: in the store itself, or in its bounded queue on disk while a server is away.
   * A row for the same key and time replaces the fields it names. Rejects, with nothing of the batch kept, when a row
   * is no row or the queue is full.
   */
  write(rows: readonly MetricRow[]): Promise<void>;
  putSnapshots(region: string, snapshots: readonly ProxySnapshot[]): Promise<void>;
  /** The newest set of snapshots of a region taken at or before `beforeMs`; empty when there is none. */
  latestSnapshots(region: string, beforeMs: number): Promise<readonly ProxySnapshot[]>;
  /** What the store is worth now; never throws. */
  health(): Promise<StoreHealth>;
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
  /** Only these fields; a row that has none of them is left out. Absent: all. */
  fields?: readonly string[];
  /** One row a series and bucket that has any value, computed where the data is. Absent: every row as written. */
  aggregate?: MetricAggregate;
}

/** `last` is the newest value of the bucket. */
export type AggregateFunction = 'mean' | 'min' | 'max' | 'sum' | 'count' | 'last';

export interface MetricAggregate {
  /** Width of a bucket; buckets begin at whole multiples of it since the epoch, and a row's time is its begin. */
  everyMs: number;
  by: AggregateFunction;
}

/** Closed list; `docs/metrics.md` says what to do about each. */
export type StoreState =
  /** Takes and answers. */
  | 'ok'
  /** The server does not answer; rows are queued on disk. */
  | 'unreachable'
  /** The server answers with an error of its own (5xx, too many requests); rows are queued. */
  | 'overloaded'
  /** The token is wrong, or may not write; rows are queued. */
  | 'unauthorized'
  /** The bucket or organisation does not exist; rows are queued. */
  | 'no-bucket'
  /** The server refuses rows as they are; they were set aside in a file that `detail` names. */
  | 'rejected'
  /** The queue is full: new rows are refused. */
  | 'queue-full'
  /** The store was closed. */
  | 'closed';

export interface StoreHealth {
  state: StoreState;
  /** One sentence for people: what is wrong and what to do. */
  detail: string;
  /** Values (one field of one row) written durably into the store since it was opened. */
  storedPoints: number;
  /** Values and bytes that wait on disk; 0 for the embedded store. */
  queuedPoints: number;
  queuedBytes: number;
}
