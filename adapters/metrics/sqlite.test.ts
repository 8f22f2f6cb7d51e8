import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import Database from 'libsql';
import { answerQuery } from './aggregate.js';
import { metricsStoreContract } from './contract.js';
import { MetricsStoreCorruptError, MetricsStoreFullError } from './errors.js';
import type { AggregateFunction, MetricQuery, MetricRow, MetricsStore } from './port.js';
import type { SqliteMetricsOptions } from './sqlite.js';
import { createSqliteMetricsStore } from './sqlite.js';

/** Packed late as by default, and so early that every contract reads blocks, rollups and log together. */
for (const [name, options] of Object.entries({ SQLite: {}, 'SQLite, packing early': { packRows: 7 } })) {
  metricsStoreContract(name, async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'psmg-metrics-'));
    return Promise.resolve({
      open: async () => Promise.resolve(createSqliteMetricsStore(path.join(folder, 'new', 'metrics.db'), options)),
      destroy: async () => Promise.resolve(rmSync(folder, { recursive: true })),
    });
  });
}

const FUNCTIONS: readonly AggregateFunction[] = ['mean', 'min', 'max', 'sum', 'count', 'last'];
const [HOUR_MS, BEGIN_MS] = [3_600_000, 1_699_999_200_000];

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'psmg-metrics-'));
  file = path.join(folder, 'metrics.db');
});
afterEach(() => rmSync(folder, { recursive: true }));

function row(at: number, a: number, service = 'shop'): MetricRow {
  return { measurement: 'm', tags: { service }, at, fields: { a, half: a / 2 } };
}

/** A row every ten seconds, `hours` long. */
function rowsOf(hours: number): MetricRow[] {
  return Array.from({ length: hours * 360 }, (_, i) => row(BEGIN_MS + i * 10_000, (i * 37) % 101));
}

async function withStore<T>(options: SqliteMetricsOptions, work: (store: MetricsStore) => Promise<T>): Promise<T> {
  const store = createSqliteMetricsStore(file, options);
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

const everything: MetricQuery = { measurement: 'm', fromMs: -1e6, toMs: Number.MAX_SAFE_INTEGER };

describe('the file', () => {
  it('is refused when a newer program wrote it', async () => {
    await createSqliteMetricsStore(file).close();
    const db = new Database(file);
    db.exec('PRAGMA user_version = 99');
    db.close();
    expect(() => createSqliteMetricsStore(file)).toThrow('has schema 99');
  });

  it('keeps its data when it comes from version 1', async () => {
    const rows = [...rowsOf(30), row(BEGIN_MS - 5000, 0.1), row(BEGIN_MS, 7, 'pay, "or" not')];
    writeVersion1(file, rows);
    await withStore({}, async (store) => {
      expect(await store.query(everything)).toEqual(answerQuery(rows, everything));
      expect(await store.latestSnapshots('eu', 9)).toEqual([{ host: 'a', at: 5, services: {} }]);
      await store.write([row(BEGIN_MS, 1)]);
      const query: MetricQuery = { ...everything, aggregate: { everyMs: HOUR_MS, by: 'max' } };
      expect(await store.query(query)).toEqual(answerQuery([...rows, row(BEGIN_MS, 1)], query));
    });
    await withStore({}, async (store) => expect(await store.query(everything)).toHaveLength(rows.length));
  });

  it('can be open in two stores at once, which pack each other’s rows', async () => {
    const stores = [createSqliteMetricsStore(file, { packRows: 5 }), createSqliteMetricsStore(file, { packRows: 3 })];
    const rows = rowsOf(1).slice(0, 40);
    for (const [i, written] of rows.entries()) await stores[i % 2]?.write([written]);
    const more = { ...row(BEGIN_MS, 1), fields: { b: 2 } };
    await stores[1]?.write([more]);
    for (const store of stores) {
      expect(await store.query(everything)).toEqual(answerQuery([...rows, more], everything));
      await store.close();
    }
  });

  it('that may not grow refuses a batch whole, by name, and goes on answering', async () => {
    await withStore({ maxFileBytes: 200_000 }, async (store) => {
      const noise = (i: number): MetricRow => row(BEGIN_MS + i * 10_000, Math.sin(i), `service ${i % 40}`);
      let kept = 0;
      const fill = async (): Promise<void> => {
        for (; kept < 100_000; kept += 500) {
          await store.write(Array.from({ length: 500 }, (_, i) => noise(kept + i)));
        }
      };
      await expect(fill()).rejects.toThrow(MetricsStoreFullError);
      expect(kept).toBeGreaterThan(0);
      expect(await store.query(everything)).toHaveLength(kept);
      const health = await store.health();
      expect(health).toMatchObject({ state: 'queue-full', storedPoints: kept * 2, queuedPoints: 0 });
      expect(health.detail).toContain('full');
      // Answering changes nothing about it; the first write that finds room does.
      const db = new Database(file);
      db.exec('DELETE FROM log');
      db.close();
      expect(await store.health()).toMatchObject({ state: 'queue-full' });
      await store.write([noise(0)]);
      expect(await store.health()).toMatchObject({ state: 'ok' });
    });
  });

  it('that has a flipped bit in a block, a rollup or the log tells so, and gives no wrong number', async () => {
    const rows = rowsOf(1);
    const query: MetricQuery = { ...everything, aggregate: { everyMs: 60_000, by: 'mean' } };
    for (const [table, packRows, asked, at] of [
      ['log', 1e6, everything, 'length(body) / 2'],
      ['log', 1e6, everything, '8'],
      ['blocks', 1, everything, 'length(body) / 2'],
      ['blocks WHERE field = 0', 1, everything, 'length(body) - 12'],
      ['blocks WHERE field > 0', 1, everything, 'length(body)'],
      ['rollups', 1, query, 'length(body) / 2'],
    ] as const) {
      file = path.join(folder, `${table} ${at.length}.db`);
      await withStore({ packRows }, async (store) => store.write(rows));
      const db = new Database(file);
      const [name, where = '1'] = table.split(' WHERE ');
      const [head, tail] = [`substr(body, 1, ${at} - 1)`, `substr(body, ${at} + 1)`];
      db.exec(`UPDATE ${name} SET body = CAST(${head} || x'a5' || ${tail} AS BLOB) WHERE ${where}`);
      db.close();
      await withStore({}, async (store) => {
        await expect(store.query(asked)).rejects.toThrow(MetricsStoreCorruptError);
      });
    }
  });

  it('takes times before the epoch', async () => {
    for (const packRows of [1, 100]) {
      await withStore({ packRows }, async (store) => {
        const rows = [row(-3_600_001, 1), row(-5000, 2), row(-1, 3), row(0, 4)];
        await store.write(rows);
        expect(await store.query({ ...everything, fromMs: -1e8 })).toEqual(rows);
        const query: MetricQuery = { ...everything, fromMs: -3_600_001, aggregate: { everyMs: 60_000, by: 'sum' } };
        expect(await store.query(query)).toEqual(answerQuery(rows, query));
      });
    }
  });

  it('that is damaged is told by name', async () => {
    writeFileSync(file, 'no database at all, but long enough to be looked at as if it were one');
    expect(() => createSqliteMetricsStore(file)).toThrow(MetricsStoreCorruptError);
    rmSync(file);
    await withStore({ packRows: 1 }, async (store) => store.write(rowsOf(20)));
    const whole = new Database(file);
    whole.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    whole.close();
    const bytes = readFileSync(file);
    file = path.join(folder, 'damaged.db');
    // The first page says which tables there are; what is in them is gone.
    writeFileSync(file, bytes.fill(0xa5, 4096));
    await withStore({}, async (store) => {
      await expect(store.query(everything)).rejects.toThrow(MetricsStoreCorruptError);
    });
  });
});

describe('retention', () => {
  it('drops old snapshots, and keeps what is inside the retention', async () => {
    await withStore({ snapshotRetentionMs: 100 }, async (store) => {
      for (const at of [1000, 1050, 1150]) await store.putSnapshots('eu', [{ host: 'a', at, services: {} }]);
      expect(await store.latestSnapshots('eu', 1100)).toEqual([{ host: 'a', at: 1050, services: {} }]);
      expect(await store.latestSnapshots('eu', 1049)).toEqual([]);
    });
  });

  it('drops raw rows and answers minutes exactly from the rollups, late rows and all', async () => {
    const rows = rowsOf(12);
    await withStore({ packRows: 50, rawRetentionMs: 2 * HOUR_MS }, async (store) => {
      // Two batches, the later times first: rollups are put right when a late row comes before its raw rows go.
      for (let i = 0; i < rows.length; i += 60) {
        const batch = rows.slice(i, i + 60);
        await store.write(batch.filter((_, j) => j % 3 !== 0));
        await store.write([...batch.filter((_, j) => j % 3 === 0), ...batch.slice(5, 7)]);
      }
      const raw = await store.query(everything);
      expect(raw.length).toBeLessThan(rows.length / 2);
      expect(raw.at(-1)).toEqual(rows.at(-1));
      for (const by of FUNCTIONS) {
        for (const everyMs of [60_000, 420_000, HOUR_MS]) {
          const query: MetricQuery = { ...everything, aggregate: { everyMs, by } };
          expect(rounded(await store.query(query))).toEqual(rounded(answerQuery(rows, query)));
        }
      }
    });
  });

  it('adds what comes after the newest of an hour whose raw rows are gone, and counts nothing twice', async () => {
    const rows = rowsOf(8);
    await withStore({ packRows: 1, rawRetentionMs: HOUR_MS }, async (store) => {
      for (let i = 0; i < rows.length; i += 30) await store.write(rows.slice(i, i + 30));
      const query: MetricQuery = { ...everything, aggregate: { everyMs: HOUR_MS, by: 'sum' } };
      const before = await store.query(query);
      await store.write(rows.slice(0, 30));
      expect(await store.query(query)).toEqual(before);
      await store.write([row(BEGIN_MS + 59_000, 5)]);
      expect(await store.query(query)).toEqual(answerQuery([...rows, row(BEGIN_MS + 59_000, 5)], query));
    });
  });

  it('drops rollups too, and a time that is yet to come makes nothing old', async () => {
    const rows = rowsOf(12);
    const now = (): number => rows.at(-1)?.at ?? 0;
    const options = { packRows: 1, rawRetentionMs: HOUR_MS, rollupRetentionMs: 4 * HOUR_MS, now };
    await withStore(options, async (store) => {
      for (let i = 0; i < rows.length; i += 30) await store.write(rows.slice(i, i + 30));
      const query: MetricQuery = { ...everything, aggregate: { everyMs: HOUR_MS, by: 'count' } };
      const kept = await store.query(query);
      expect(kept.map((r) => (r.at - BEGIN_MS) / HOUR_MS)).toEqual([7, 8, 9, 10, 11]);
      for (let i = 0; i < 10; i += 1) await store.write([row(now() + 1e9 * HOUR_MS, i, 'clock')]);
      expect(await store.query({ ...query, toMs: now() + 1 })).toEqual(kept);
    });
  });
});

function rounded(rows: readonly MetricRow[]): unknown[] {
  return rows.map((r) => ({
    ...r,
    fields: Object.fromEntries(Object.entries(r.fields).map(([name, value]) => [name, value.toFixed(9)])),
  }));
}

/** A file as the first version of the schema had it. */
function writeVersion1(at: string, rows: readonly MetricRow[]): void {
  const db = new Database(at);
  db.exec(`
    PRAGMA journal_mode = WAL;
    CREATE TABLE series (id INTEGER PRIMARY KEY, measurement TEXT NOT NULL, tags TEXT NOT NULL,
      UNIQUE (measurement, tags));
    CREATE TABLE points (series INTEGER NOT NULL REFERENCES series (id), at INTEGER NOT NULL, fields TEXT NOT NULL,
      PRIMARY KEY (series, at)) WITHOUT ROWID;
    CREATE TABLE snapshots (region TEXT NOT NULL, at INTEGER NOT NULL, body TEXT NOT NULL,
      PRIMARY KEY (region, at)) WITHOUT ROWID;
    INSERT INTO snapshots VALUES ('eu', 5, '[{"host":"a","at":5,"services":{}}]');
    PRAGMA user_version = 1;
    BEGIN`);
  const series = db.prepare('INSERT INTO series (measurement, tags) VALUES (?, ?) ON CONFLICT DO NOTHING');
  const point = db.prepare(
    'INSERT INTO points VALUES ((SELECT id FROM series WHERE measurement = ? AND tags = ?), ?, ?)',
  );
  for (const { measurement, tags, at: time, fields } of rows) {
    series.run(measurement, JSON.stringify(tags));
    point.run(measurement, JSON.stringify(tags), time, JSON.stringify(fields));
  }
  db.exec('COMMIT');
  db.close();
}
