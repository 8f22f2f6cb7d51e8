import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll } from '@jest/globals';
import { startInfluxd } from '../../../testbed/influx.js';
import type { RunningInfluxd } from '../../../testbed/influx.js';
import { metricsStoreContract } from '../contract.js';
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
