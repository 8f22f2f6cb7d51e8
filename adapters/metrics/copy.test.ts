import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { copyMetrics } from './copy.js';
import type { CopyResult } from './copy.js';
import { MetricsStoreFullError } from './errors.js';
import { measurementsOfSqlite } from './measurements.js';
import type { MetricRow, MetricsStore } from './port.js';
import { createSqliteMetricsStore } from './sqlite.js';

let directory: string;
let open: MetricsStore[];
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'psmg-copy-'));
  open = [];
});
afterEach(async () => {
  await Promise.all(open.map((store) => store.close()));
  rmSync(directory, { recursive: true });
});

const fileOf = (name: string): string => path.join(directory, `${name}.db`);
const stored = (name: string): MetricsStore => {
  const store = createSqliteMetricsStore(fileOf(name));
  open.push(store);
  return store;
};
const row = (measurement: string, at: number, fields: Record<string, number>): MetricRow => ({
  measurement,
  tags: { region: 'north' },
  at,
  fields,
});
const DAY = Date.parse('2026-01-02T00:00:00Z');
const ROWS = [
  row('service', DAY - 1, { rps: 0.1, p99Ms: 1e-9 }),
  row('service', DAY, { rps: -7 }),
  row('host', DAY + 5, { load1: 3 }),
];

async function copied(source: MetricsStore, target: MetricsStore, from: string): Promise<CopyResult> {
  const measurements = measurementsOfSqlite(fileOf(from));
  return copyMetrics({ source, target, measurements, sleep: async () => Promise.resolve() });
}

describe('copy', () => {
  it('brings every value there and back, and may be done again', async () => {
    const [a, b, c] = [stored('a'), stored('b'), stored('c')];
    await a.write(ROWS);
    const all = { rows: 3, pointsIn: 4, pointsStored: 4, stopped: null };
    expect(await copied(a, b, 'a')).toEqual(all);
    expect(await copied(a, b, 'a')).toEqual(all);
    expect(await copied(b, c, 'b')).toEqual(all);
    const query = { measurement: 'service', fromMs: 0, toMs: DAY * 2 };
    expect(await c.query(query)).toEqual(await a.query(query));
  });

  it('counts only what the target gives back exactly', async () => {
    const [a, b] = [stored('a'), stored('b')];
    await a.write(ROWS);
    const loses: MetricsStore = { ...b, write: async (rows) => b.write(rows.filter(({ at }) => at !== DAY)) };
    expect(await copied(a, loses, 'a')).toMatchObject({ pointsIn: 4, pointsStored: 3, stopped: null });
    const changes: MetricsStore = {
      ...b,
      write: async (rows) => b.write(rows.map((one) => (one.at === DAY ? { ...one, fields: { rps: -6 } } : one))),
    };
    expect(await copied(a, changes, 'a')).toMatchObject({ pointsIn: 4, pointsStored: 3, stopped: null });
  });

  it('gives up on a target that stays full, and says why', async () => {
    const a = stored('a');
    await a.write(ROWS);
    const full: MetricsStore = {
      ...stored('b'),
      write: async () => Promise.reject(new MetricsStoreFullError('no room')),
    };
    expect(await copied(a, full, 'a')).toMatchObject({ pointsStored: 0, stopped: 'no room' });
  });
});
