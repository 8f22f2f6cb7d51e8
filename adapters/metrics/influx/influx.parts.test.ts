import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { startInfluxd } from '../../../testbed/influx.js';
import type { RunningInfluxd } from '../../../testbed/influx.js';
import { metricsStoreContract } from '../contract.js';
import { measurementsOfInflux } from '../measurements.js';
import { createInfluxMetricsStore } from './store.js';
import { createBucket, deleteBucket } from './testServer.js';

let directory: string;
let server: RunningInfluxd;
beforeAll(async () => {
  directory = mkdtempSync(path.join(tmpdir(), 'psmg-influx-'));
  server = await startInfluxd({ directory: path.join(directory, 'server') });
}, 60_000);
afterAll(async () => {
  await server.stop();
  rmSync(directory, { recursive: true });
}, 60_000);

let places = 0;
metricsStoreContract('InfluxDB', async () => {
  const bucket = `a place of its own, ${(places += 1)}`;
  const id = await createBucket(server, bucket);
  return {
    open: async () =>
      Promise.resolve(
        createInfluxMetricsStore({
          ...server,
          bucket,
          token: () => server.token,
          queueDirectory: path.join(directory, `queue-${places}`),
        }),
      ),
    destroy: () => deleteBucket(server, id),
  };
});

it('names the measurements of a bucket, whenever they were written, without our snapshots', async () => {
  const bucket = 'names, $of measurements';
  const id = await createBucket(server, bucket);
  const target = { ...server, bucket, token: () => server.token, timeoutMs: 10_000 };
  const queueDirectory = path.join(directory, 'queue-names');
  expect(await measurementsOfInflux(target)).toEqual([]);
  const store = createInfluxMetricsStore({ ...target, queueDirectory });
  await store.write(
    Object.entries({ late: 8e12, early: -8e12, 'a "b"': 0 }).map(([measurement, at]) => ({
      ...{ measurement, at, tags: { region: 'eu' }, fields: { rps: 1 } },
    })),
  );
  await store.putSnapshots('eu', [{ host: 'a', at: 1000, services: {} }]);
  await store.close();
  expect(await measurementsOfInflux(target)).toEqual(['a "b"', 'early', 'late']);
  await deleteBucket(server, id);
}, 30_000);
