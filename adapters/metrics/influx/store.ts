import type { MetricRow, MetricsStore, StoreHealth } from '../port.js';
import { MetricsStoreClosedError, MetricsStoreFullError } from '../errors.js';
import type { InfluxTarget } from './connection.js';
import { openConnection } from './connection.js';
import { QueueFullError } from './errors.js';
import { fluxOfNewest } from './flux.js';
import { readFluxCsv } from './fluxCsv.js';
import type { HealthFacts } from './healthOf.js';
import { healthOf } from './healthOf.js';
import { encodeRow } from './lineProtocol.js';
import { MAX_QUEUE_BYTES, openDiskQueue } from './queue/diskQueue.js';
import { failedOrStored } from './outcome.js';
import type { QueueRecord } from './queue/record.js';
import { askFluxText, createReader } from './read.js';
import { startSender } from './sender.js';
import { setAsideIn } from './setAside.js';
import type { NewestField } from './snapshots.js';
import { SNAPSHOT_MEASUREMENT, decodeSnapshots, encodeSnapshots, recentSnapshots } from './snapshots.js';

export interface InfluxMetricsOptions {
  url: string;
  org: string;
  bucket: string;
  /** Asked before every request, so that a rotated token is taken up. */
  token: () => string;
  /** Of this store alone. */
  queueDirectory: string;
  /** Bound on what waits on disk and what was set aside there. Default 256 MiB. */
  maxQueueBytes?: number;
  /** Default 10 s. */
  timeoutMs?: number;
  /** Longest that rows wait to be sent together, at most 1000. Default 500. */
  flushEveryMs?: number;
  /** Values that make a request of their own. Default 20,000. */
  batchPoints?: number;
  log?: (line: string) => void;
}

/** How long a question waits for rows written before it, and `close` for rows to leave. */
const DRAIN_MS = 2000;
/** What the server said is believed this long. */
const FRESH_MS = 5000;
const PROBE_MS = 2000;

/**
 * Metrics in InfluxDB 2 behind a queue on disk: `write` is done when rows are there, and they are in the server soon
 * after, or once it is back. A question is asked of the server alone; it waits up to 2 s for rows that are queued.
 * Throws QueueLockedError when another store has the folder.
 */
export function createInfluxMetricsStore(options: InfluxMetricsOptions): MetricsStore {
  const log = options.log ?? (() => undefined);
  const maxBytes = options.maxQueueBytes ?? MAX_QUEUE_BYTES;
  const batchPoints = options.batchPoints ?? 20_000;
  const target: InfluxTarget = { ...options, timeoutMs: options.timeoutMs ?? 10_000 };
  const setAside = setAsideIn(options.queueDirectory);
  const otherBytes = (): number => setAside.held().bytes;
  const queue = openDiskQueue({ directory: options.queueDirectory, maxBytes, otherBytes, log });
  const connection = openConnection(target);
  const reader = createReader(connection, target);
  const flushEveryMs = Math.min(1000, options.flushEveryMs ?? 500);
  const sender = startSender({ queue, setAside, send: connection.send, flushEveryMs, batchPoints, log });
  const recent = recentSnapshots();
  let closing: Promise<void> | null = null;
  let refusedFull = false;
  /** Of the last batch: no later one has shown that there is room again. */
  let diskFull = false;

  const open = (): void => {
    if (closing !== null) throw new MetricsStoreClosedError();
  };
  const append = async (records: readonly QueueRecord[]): Promise<void> => {
    try {
      await queue.append(records);
      [refusedFull, diskFull] = [false, false];
    } catch (error) {
      refusedFull ||= error instanceof MetricsStoreFullError;
      diskFull = error instanceof MetricsStoreFullError && !(error instanceof QueueFullError);
      throw error;
    }
    sender.kick();
  };
  const listen = async (): Promise<void> => {
    // Rows that wait tell as well as any question whether the server takes them.
    if (queue.size().bytes > 0 && sender.status().failure === null) await sender.drained(PROBE_MS);
    else if (performance.now() - sender.status().answeredAtMs > FRESH_MS) {
      sender.heard(failedOrStored(await connection.send('', Math.min(PROBE_MS, target.timeoutMs))));
    }
  };
  const facts = (): HealthFacts => ({
    ...sender.status(),
    ...queue.size(),
    ...{ target, refusedFull, diskFull, maxBytes },
    closed: closing !== null,
    setAside: setAside.held(),
  });

  return {
    async write(rows) {
      open();
      if (rows.length > 0) await append(recordsOf(rows, batchPoints));
    },
    async query(query, signal) {
      open();
      await sender.drained(DRAIN_MS);
      return reader.query(query, signal);
    },
    async putSnapshots(region, snapshots) {
      open();
      if (snapshots.length === 0) return;
      const line = encodeSnapshots(region, snapshots);
      recent.keep(region, line);
      await append([{ payload: Buffer.from(`${line}\n`), values: 1 }]);
    },
    async latestSnapshots(region, beforeMs) {
      open();
      const isSent = await sender.drained(DRAIN_MS);
      // What waits on disk is newer than all that the server could tell of this process, which alone reads the region.
      const own = isSent ? null : recent.latest(region, beforeMs);
      if (own !== null) return own;
      const newest: NewestField[] = [];
      const series = { measurement: SNAPSHOT_MEASUREMENT, tag: 'region', value: region };
      const answer = askFluxText(connection, target.org, fluxOfNewest(target.bucket, series, beforeMs));
      await readFluxCsv(answer, (columns, cells) => {
        const cell = (name: string): string => cells[columns.indexOf(name)] ?? '';
        newest.push({ time: cell('_time'), field: cell('_field'), value: cell('_value') });
      });
      return decodeSnapshots(newest);
    },
    async health(): Promise<StoreHealth> {
      if (closing === null) await listen();
      return healthOf(facts(), performance.now());
    },
    async close() {
      closing ??= (async () => {
        await sender.drained(DRAIN_MS);
        // A request under way is given up: its rows are on disk and will be sent again.
        const ended = sender.close();
        connection.close();
        await ended;
        await queue.close();
      })();
      return closing;
    },
  };
}

/** Rows as records of about `batchPoints` values. Throws before anything is kept when one of them is no row. */
function recordsOf(rows: readonly MetricRow[], batchPoints: number): readonly QueueRecord[] {
  const records: QueueRecord[] = [];
  let lines: string[] = [];
  let values = 0;
  const end = (): void => {
    if (lines.length > 0) records.push({ payload: Buffer.from(`${lines.join('\n')}\n`), values });
    lines = [];
    values = 0;
  };
  for (const row of rows) {
    lines.push(encodeRow(row));
    values += Object.keys(row.fields).length;
    if (values >= batchPoints) end();
  }
  end();
  return records;
}
