import { mkdirSync } from 'node:fs';
import path from 'node:path';
import Database from 'libsql';
import { checkRow, valuesOf } from './aggregate.js';
import { MetricsStoreClosedError, MetricsStoreFullError } from './errors.js';
import { RAW_KEEP_DAYS, ROLLUP_KEEP_DAYS } from './keep.js';
import type { MetricRow, MetricsStore, StoreHealth } from './port.js';
import { createBlocks } from './sqlite/blocks.js';
import { compactWaiting } from './sqlite/compact.js';
import { createLog } from './sqlite/log.js';
import { createNames } from './sqlite/names.js';
import { answer } from './sqlite/read.js';
import { createPruner } from './sqlite/retention.js';
import { prepareFile } from './sqlite/schema.js';
import { createSnapshots } from './sqlite/snapshots.js';
import { inTransaction, named } from './sqlite/transaction.js';

const DAY_MS = 86_400_000;

export interface SqliteMetricsOptions {
  /** Raw rows older than this, counted from the newest, go; their minutes stay. Default `RAW_KEEP_DAYS`. */
  rawRetentionMs?: number;
  /** Minutes older than this go. Default `ROLLUP_KEEP_DAYS`. Less than `rawRetentionMs` counts as that. */
  rollupRetentionMs?: number;
  /** Sets of snapshots older than this, counted from the newest of their region, are dropped. Default 1 day. */
  snapshotRetentionMs?: number;
  /** Rows of 8 series that wait in the log before they are packed. Default 4096. */
  packRows?: number;
  /** The file takes no more; writes reject with `MetricsStoreFullError`. Default: what the disk has. */
  maxFileBytes?: number;
  /** Milliseconds since the epoch. Times that are yet to come make nothing old. */
  now?: () => number;
}

/**
 * Metrics in one SQLite file: nothing to install or run. Several processes may open the same file. Throws when the
 * file was written by a newer version of the schema, and `MetricsStoreCorruptError` when it is no database.
 */
export function createSqliteMetricsStore(file: string, options: SqliteMetricsOptions = {}): MetricsStore {
  mkdirSync(path.dirname(path.resolve(file)), { recursive: true });
  const db = openFile(file, options.maxFileBytes);
  let [closed, storedPoints] = [false, 0];
  let full: MetricsStoreFullError | undefined;
  // What the last write met with tells whether there is room: to try is the only way to find out.
  const writing = <T>(work: () => T): T => {
    try {
      const result = inTransaction(db, 'IMMEDIATE', work);
      full = undefined;
      return result;
    } catch (error) {
      if (error instanceof MetricsStoreFullError) full = error;
      throw error;
    }
  };
  const names = createNames(db);
  const parts = { names, log: createLog(db), blocks: createBlocks(db) };
  const snapshots = createSnapshots(db, options.snapshotRetentionMs ?? DAY_MS);
  const pruner = createPruner(db, parts.log, parts.blocks, {
    rawMs: options.rawRetentionMs ?? RAW_KEEP_DAYS * DAY_MS,
    rollupMs: options.rollupRetentionMs ?? ROLLUP_KEEP_DAYS * DAY_MS,
  });
  const now = options.now ?? ((): number => Date.now());

  const write = (rows: readonly MetricRow[]): void => {
    rows.forEach(checkRow);
    if (rows.length === 0) return;
    try {
      writing(() => {
        const numbered = rows.map(({ measurement, tags, at, fields }) => ({
          series: names.seriesId(measurement, tags),
          at,
          fields: names.fieldIds(Object.keys(fields)),
          values: Object.values(fields),
        }));
        const waiting = parts.log.append(numbered);
        compactWaiting(parts.log, parts.blocks, waiting, rows.length, options.packRows);
        pruner.prune(newestOf(rows), now(), rows.length);
      });
    } catch (error) {
      names.forget();
      throw error;
    }
    storedPoints += valuesOf(rows);
  };
  const guarded = async <T>(work: () => T): Promise<T> => {
    if (closed) throw new MetricsStoreClosedError();
    return Promise.resolve(work());
  };
  return {
    write: async (rows) => guarded(() => write(rows)),
    query: async (query) => guarded(() => inTransaction(db, 'DEFERRED', () => answer(parts, query))),
    putSnapshots: async (region, set) =>
      guarded(() => {
        if (set.length > 0) writing(() => snapshots.put(region, set));
      }),
    latestSnapshots: async (region, beforeMs) =>
      guarded(() => inTransaction(db, 'DEFERRED', () => snapshots.latest(region, beforeMs))),
    health: async () =>
      Promise.resolve({
        ...stateOf(file, closed, full),
        storedPoints,
        queuedPoints: 0,
        queuedBytes: 0,
      }),
    close: async () => {
      if (!closed) db.close();
      closed = true;
      return Promise.resolve();
    },
  };
}

/** The embedded store has no queue: when it is full, rows are refused just as by a full one. */
function stateOf(
  file: string,
  closed: boolean,
  full: MetricsStoreFullError | undefined,
): Pick<StoreHealth, 'state' | 'detail'> {
  if (closed) return { state: 'closed', detail: 'the metrics store is closed' };
  if (full === undefined) return { state: 'ok', detail: `rows are kept in ${file}` };
  return { state: 'queue-full', detail: `the disk or the file is full, and rows are refused: ${full.message}` };
}

function openFile(file: string, maxFileBytes: number | undefined): Database.Database {
  const db = new Database(file);
  db.name = file;
  try {
    prepareFile(db, maxFileBytes);
    return db;
  } catch (error) {
    db.close();
    throw named(error, file);
  }
}

function newestOf(rows: readonly MetricRow[]): number {
  return rows.reduce((newest, { at }) => Math.max(newest, at), -Infinity);
}
