import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { createInfluxMetricsStore } from '../../adapters/metrics/influx/store.js';
import type { MetricsStore } from '../../adapters/metrics/port.js';
import { createSqliteMetricsStore } from '../../adapters/metrics/sqlite.js';
import { startInfluxd } from '../../testbed/influx.js';
import type { RunningInfluxd } from '../../testbed/influx.js';
import { MEASUREMENT } from './load.js';

export type StoreKind = 'influxdb' | 'sqlite';

/** How to reach a store, as data, so that another process can open the same one. */
export type StorePlace =
  | { kind: 'sqlite'; file: string }
  | { kind: 'influxdb'; url: string; org: string; bucket: string; token: string; queueDirectory: string };

/** What keeps the rows: a file, or a server that can be stopped. */
export interface StoreUnderTest {
  place: StorePlace;
  version: string;
  /** Absent for a file, which nobody can stop. */
  server?: RunningInfluxd;
  stop(): Promise<void>;
}

export async function startStore(kind: StoreKind, directory: string): Promise<StoreUnderTest> {
  mkdirSync(directory, { recursive: true });
  if (kind === 'sqlite') {
    const place = { kind, file: path.join(directory, 'metrics.db') };
    return { place, version: 'SQLite by libsql', stop: async () => Promise.resolve() };
  }
  const server = await startInfluxd({ directory: path.join(directory, 'influxd') });
  const { url, org, bucket, token } = server;
  const { version } = (await (await fetch(`${url}/health`)).json()) as { version?: string };
  const place = { kind, url, org, bucket, token, queueDirectory: path.join(directory, 'queue') };
  return { place, version: `InfluxDB ${version ?? 'of unknown version'}`, server, stop: () => server.stop() };
}

/** Opens the store by its port; `queue` names the folder of rows that wait, one a process. */
export function openStore(place: StorePlace, queue: string): MetricsStore {
  if (place.kind === 'sqlite') return createSqliteMetricsStore(place.file);
  const { url, org, bucket, token } = place;
  // All else as it is where nobody chooses: that is what people run.
  return createInfluxMetricsStore({
    ...{ url, org, bucket, token: () => token },
    queueDirectory: path.join(place.queueDirectory, queue),
  });
}

/**
 * Values with from ≤ time < to, counted by the store itself: InfluxDB by Flux, past our port; the file, whose blocks
 * only we can read, by the count of a store opened anew.
 */
export async function countValues(place: StorePlace, fromMs: number, toMs: number): Promise<number> {
  if (place.kind === 'influxdb') return countByFlux(place, fromMs, toMs);
  const store = openStore(place, 'count');
  try {
    const aggregate = { everyMs: 3_600_000, by: 'count' } as const;
    const rows = await store.query({ measurement: MEASUREMENT, fromMs, toMs, aggregate });
    return rows.reduce((sum, { fields }) => sum + Object.values(fields).reduce((a, b) => a + b, 0), 0);
  } finally {
    await store.close();
  }
}

async function countByFlux(
  { url, org, bucket, token }: Extract<StorePlace, { kind: 'influxdb' }>,
  fromMs: number,
  toMs: number,
): Promise<number> {
  const [start, stop] = [fromMs, toMs].map((ms) => new Date(ms).toISOString());
  const flux = `from(bucket: "${bucket}") |> range(start: ${start}, stop: ${stop})
    |> filter(fn: (r) => r._measurement == "${MEASUREMENT}") |> count() |> group() |> sum()`;
  const response = await fetch(`${url}/api/v2/query?org=${org}`, {
    method: 'POST',
    headers: { authorization: `Token ${token}`, 'content-type': 'application/vnd.flux', accept: 'application/csv' },
    body: flux,
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`counting by Flux: ${response.status} ${text}`);
  const [header = '', line = ''] = text.trim().split('\r\n');
  return Number(line.split(',')[header.split(',').indexOf('_value')] || 0);
}
