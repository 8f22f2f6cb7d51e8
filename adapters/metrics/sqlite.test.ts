import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import Database from 'libsql';
import { metricsStoreContract } from './contract.js';
import { createSqliteMetricsStore } from './sqlite.js';

metricsStoreContract('SQLite', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'psmg-metrics-'));
  return Promise.resolve({
    open: async () => Promise.resolve(createSqliteMetricsStore(path.join(folder, 'new', 'metrics.db'))),
    destroy: async () => Promise.resolve(rmSync(folder, { recursive: true })),
  });
});

describe('the file', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'psmg-metrics-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('is refused when a newer program wrote it', async () => {
    const file = path.join(folder, 'metrics.db');
    await createSqliteMetricsStore(file).close();
    const db = new Database(file);
    db.exec('PRAGMA user_version = 99');
    db.close();
    expect(() => createSqliteMetricsStore(file)).toThrow('has schema 99');
  });

  it('can be open in two stores at once', async () => {
    const file = path.join(folder, 'metrics.db');
    const [one, two] = [createSqliteMetricsStore(file), createSqliteMetricsStore(file)];
    const tags = { service: 'shop' };
    await one.write([{ measurement: 'm', tags, at: 1, fields: { a: 1 } }]);
    await two.write([{ measurement: 'm', tags, at: 1, fields: { b: 2 } }]);
    const found = await one.query({ measurement: 'm', fromMs: 0, toMs: 2 });
    expect(found).toEqual([{ measurement: 'm', tags, at: 1, fields: { a: 1, b: 2 } }]);
    await Promise.all([one.close(), two.close()]);
  });

  it('drops old snapshots, and keeps what is inside the retention', async () => {
    const store = createSqliteMetricsStore(path.join(folder, 'metrics.db'), { snapshotRetentionMs: 100 });
    for (const at of [1000, 1050, 1150]) await store.putSnapshots('eu', [{ host: 'a', at, services: {} }]);
    expect(await store.latestSnapshots('eu', 1100)).toEqual([{ host: 'a', at: 1050, services: {} }]);
    expect(await store.latestSnapshots('eu', 1049)).toEqual([]);
    await store.close();
  });
});
