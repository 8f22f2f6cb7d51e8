import { mkdirSync } from 'node:fs';
import path from 'node:path';
import Database from 'libsql';
import type { ProxySnapshot } from '../../core/spec/observation.js';
import { InvalidMetricRowError, MetricsStoreClosedError } from './errors.js';
import type { MetricQuery, MetricRow, MetricsStore } from './port.js';

/** A series is a (measurement, tags) pair; a row is one wide JSON object of fields, merged field by field. */
const SCHEMA = [
  `CREATE TABLE series (
     id INTEGER PRIMARY KEY,
     measurement TEXT NOT NULL,
     tags TEXT NOT NULL,
     UNIQUE (measurement, tags)
   );
   CREATE TABLE points (
     series INTEGER NOT NULL REFERENCES series (id),
     at INTEGER NOT NULL,
     fields TEXT NOT NULL,
     PRIMARY KEY (series, at)
   ) WITHOUT ROWID;
   CREATE TABLE snapshots (
     region TEXT NOT NULL,
     at INTEGER NOT NULL,
     body TEXT NOT NULL,
     PRIMARY KEY (region, at)
   ) WITHOUT ROWID;`,
] as const;

export interface SqliteMetricsOptions {
  /** Sets of snapshots older than this, counted from the newest of their region, are dropped. */
  snapshotRetentionMs?: number;
}

interface SeriesRow {
  id: number;
  measurement: string;
  tags: string;
}

/**
 * Metrics in one SQLite file: nothing to install or run. Several processes may open the same file. Throws when the
 * file was written by a newer version of the schema.
 */
export function createSqliteMetricsStore(file: string, options: SqliteMetricsOptions = {}): MetricsStore {
  mkdirSync(path.dirname(path.resolve(file)), { recursive: true });
  const db = new Database(file);
  let closed = false;
  try {
    prepare(db, file);
  } catch (error) {
    db.close();
    throw error;
  }
  const run = createStatements(db, options.snapshotRetentionMs ?? 86_400_000);
  const guarded = async <T>(work: () => T): Promise<T> => {
    if (closed) throw new MetricsStoreClosedError();
    return Promise.resolve(work());
  };
  return {
    write: async (rows) => guarded(() => run.write(rows)),
    query: async (query) => guarded(() => run.query(query)),
    putSnapshots: async (region, snapshots) => guarded(() => run.putSnapshots(region, snapshots)),
    latestSnapshots: async (region, beforeMs) => guarded(() => run.latestSnapshots(region, beforeMs)),
    health: async () =>
      Promise.resolve({
        state: closed ? ('closed' as const) : ('ok' as const),
        detail: closed ? 'the metrics store is closed' : `rows are kept in ${file}`,
        storedPoints: 0,
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

function prepare(db: Database.Database, file: string): void {
  db.exec('PRAGMA busy_timeout = 5000');
  db.exec('PRAGMA journal_mode = WAL');
  // In WAL mode anything less may lose the last transactions when the power fails.
  db.exec('PRAGMA synchronous = FULL');
  db.exec('BEGIN IMMEDIATE');
  try {
    const { user_version: version } = db.prepare('PRAGMA user_version').get() as { user_version: number };
    if (version > SCHEMA.length) {
      throw new Error(`${file} has schema ${version}, this program knows ${SCHEMA.length}: use the newer program`);
    }
    for (const step of SCHEMA.slice(version)) db.exec(step);
    db.exec(`PRAGMA user_version = ${SCHEMA.length}`);
    db.exec('COMMIT');
  } catch (error) {
    db.exec('ROLLBACK');
    throw error;
  }
}

interface Statements {
  write(rows: readonly MetricRow[]): void;
  query(query: MetricQuery): readonly MetricRow[];
  putSnapshots(region: string, snapshots: readonly ProxySnapshot[]): void;
  latestSnapshots(region: string, beforeMs: number): readonly ProxySnapshot[];
}

function createStatements(db: Database.Database, snapshotRetentionMs: number): Statements {
  const addSeries = db.prepare('INSERT INTO series (measurement, tags) VALUES (?, ?) ON CONFLICT DO NOTHING');
  const findSeries = db.prepare('SELECT id FROM series WHERE measurement = ? AND tags = ?');
  const listSeries = db.prepare('SELECT id, measurement, tags FROM series WHERE measurement = ?');
  const addPoint = db.prepare(
    `INSERT INTO points (series, at, fields) VALUES (?, ?, ?)
     ON CONFLICT (series, at) DO UPDATE SET fields = json_patch(fields, excluded.fields)`,
  );
  const readPoints = db.prepare('SELECT at, fields FROM points WHERE series = ? AND at >= ? AND at < ? ORDER BY at');
  const addSnapshots = db.prepare(
    `INSERT INTO snapshots (region, at, body) VALUES (?, ?, ?)
     ON CONFLICT (region, at) DO UPDATE SET body = excluded.body`,
  );
  const dropSnapshots = db.prepare(
    'DELETE FROM snapshots WHERE region = ?1 AND at < (SELECT max(at) FROM snapshots WHERE region = ?1) - ?2',
  );
  const readSnapshots = db.prepare('SELECT body FROM snapshots WHERE region = ? AND at <= ? ORDER BY at DESC LIMIT 1');
  const ids = new Map<string, number>();

  const seriesId = (row: MetricRow): number => {
    const tags = canonicalTags(row.tags);
    const key = `${row.measurement}\n${tags}`;
    const known = ids.get(key);
    if (known !== undefined) return known;
    addSeries.run(row.measurement, tags);
    const { id } = findSeries.get(row.measurement, tags) as { id: number };
    return id;
  };
  const writeAll = db.transaction((rows: readonly MetricRow[]) => {
    const added = new Map<string, number>();
    for (const row of rows) {
      const id = seriesId(row);
      added.set(`${row.measurement}\n${canonicalTags(row.tags)}`, id);
      addPoint.run(id, row.at, JSON.stringify(row.fields));
    }
    return added;
  });
  const putAll = db.transaction((region: string, at: number, body: string) => {
    addSnapshots.run(region, at, body);
    dropSnapshots.run(region, snapshotRetentionMs);
  });

  return {
    write(rows) {
      rows.forEach(checkRow);
      if (rows.length === 0) return;
      // Remembered only once committed: a rolled-back series has no row to point at.
      for (const [key, id] of writeAll.immediate(rows)) ids.set(key, id);
    },
    query(query) {
      const wanted = Object.entries(query.tags ?? {});
      const found: MetricRow[] = [];
      for (const series of listSeries.all(query.measurement) as SeriesRow[]) {
        const tags = JSON.parse(series.tags) as Record<string, string>;
        if (wanted.some(([name, value]) => tags[name] !== value)) continue;
        const points = readPoints.all(series.id, query.fromMs, query.toMs) as { at: number; fields: string }[];
        for (const { at, fields } of points) {
          found.push({
            measurement: query.measurement,
            tags,
            at,
            fields: JSON.parse(fields) as Record<string, number>,
          });
        }
      }
      return found.sort((a, b) => a.at - b.at);
    },
    putSnapshots(region, snapshots) {
      if (snapshots.length === 0) return;
      // A set counts as taken when its last proxy had answered.
      const at = Math.max(...snapshots.map((s) => s.at));
      putAll.immediate(region, at, JSON.stringify(snapshots, keepInfinity));
    },
    latestSnapshots(region, beforeMs) {
      const row = readSnapshots.get(region, beforeMs) as { body: string } | undefined;
      return row === undefined ? [] : (JSON.parse(row.body, reviveInfinity) as ProxySnapshot[]);
    },
  };
}

/** The last bucket of a histogram has no upper bound, and JSON has no word for that. */
function keepInfinity(_key: string, value: unknown): unknown {
  return value === Infinity ? 'Infinity' : value;
}

function reviveInfinity(key: string, value: unknown): unknown {
  return key === 'highMs' && value === 'Infinity' ? Infinity : value;
}

function canonicalTags(tags: Readonly<Record<string, string>>): string {
  return JSON.stringify(Object.fromEntries(Object.entries(tags).sort(([a], [b]) => (a < b ? -1 : 1))));
}

function checkRow(row: MetricRow): void {
  const fields = Object.entries(row.fields);
  if (fields.length === 0) throw new InvalidMetricRowError(`a row of ${row.measurement} has no fields`);
  if (!Number.isSafeInteger(row.at)) {
    throw new InvalidMetricRowError(`a row of ${row.measurement} has the time ${row.at}, not whole milliseconds`);
  }
  for (const [name, value] of fields) {
    if (!Number.isFinite(value)) throw new InvalidMetricRowError(`${row.measurement}.${name} is ${value}, no number`);
  }
}
