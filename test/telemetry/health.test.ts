import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { Client } from '@temporalio/client';
import type { StoreState } from '../../adapters/metrics/port.js';
import { waitFor } from '../../testbed/http.js';
import { freePort } from '../../testbed/ports.js';
import type { TemporalServer } from '../../testbed/temporalServer.js';
import { startTemporal } from '../../testbed/temporalServer.js';
import { connectClient } from '../../workers/connect.js';
import { HealthMonitor } from '../../workers/health/monitor.js';
import { serveHealth } from '../../workers/health/serve.js';

jest.setTimeout(60_000);

let folder: string;
let temporal: TemporalServer;
let client: Client;
let monitor: HealthMonitor;
let url: string;
let stopServer: () => void;
/** A fault that no store of ours can be brought into at will. */
let storeState: StoreState = 'ok';
let workerState = 'RUNNING';

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'psmg-health-'));
  temporal = await startTemporal({ ui: false, logFile: path.join(folder, 'logs', 'temporal.log'), address: '' });
  client = await connectClient({ connection: { address: temporal.address }, namespace: 'default' });
  const stateDirectory = path.join(folder, 'state');
  await mkdir(stateDirectory);
  monitor = new HealthMonitor(
    {
      workerState: () => workerState,
      askTemporal: () => client.withDeadline(Date.now() + 300, () => client.workflowService.getSystemInfo({})),
      metrics: {
        health: async () =>
          Promise.resolve({ state: storeState, detail: 'as told', storedPoints: 1, queuedPoints: 2, queuedBytes: 3 }),
      },
      stateDirectory,
      now: () => Date.now(),
    },
    { probeMs: 100, silentMs: 1000, stallMs: 400 },
  );
  await monitor.start();
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  const metrics = async (): Promise<{ contentType: string; text: string }> =>
    Promise.resolve({ contentType: 'text/plain', text: '' });
  const server = await serveHealth({ port, address: '127.0.0.1', report: () => monitor.report(), metrics });
  stopServer = () => server.close().closeAllConnections();
});

afterAll(async () => {
  stopServer();
  await monitor.stop();
  await client.connection.close();
  await temporal.stop();
  await rm(folder, { recursive: true, force: true });
});

async function ask(page: 'readyz' | 'healthz'): Promise<{ status: number; text: string }> {
  const response = await fetch(`${url}/${page}`);
  return { status: response.status, text: await response.text() };
}

const until = async (page: 'readyz' | 'healthz', status: number, words: RegExp): Promise<unknown> =>
  waitFor(`${page} ${status} ${String(words)}`, 15_000, async () => {
    const answer = await ask(page);
    if (answer.status !== status || !words.test(answer.text)) throw new Error(`${answer.status} ${answer.text}`);
    return true;
  });

describe('/readyz and /healthz', () => {
  it('answer 200 while all is well, also as JSON', async () => {
    await until('readyz', 200, /^ok\nworker ok/);
    const response = await fetch(`${url}/readyz?format=json`);
    expect(await response.json()).toMatchObject({ state: 'ok', ready: true, live: true });
    expect((await ask('healthz')).status).toBe(200);
  });

  it.each<[StoreState, number, RegExp]>([
    ['unreachable', 200, /^degraded\n[\s\S]*metrics-store degraded: unreachable: as told; 2 values wait on disk/],
    ['overloaded', 200, /metrics-store degraded: overloaded/],
    ['unauthorized', 503, /metrics-store failed: unauthorized/],
    ['no-bucket', 503, /metrics-store failed: no-bucket/],
    ['rejected', 503, /metrics-store failed: rejected/],
    ['queue-full', 503, /metrics-store failed: queue-full/],
    ['ok', 200, /^ok\n/],
  ])('of a metrics store that is %s: readyz %i, and nothing is restarted for it', async (state, status, words) => {
    storeState = state;
    await until('readyz', status, words);
    expect((await ask('healthz')).status).toBe(200);
  });

  it.each([
    ['DRAINING', 200],
    ['FAILED', 503],
  ])('of a worker that is %s: not ready, and live %i', async (state, live) => {
    workerState = state;
    expect(await ask('readyz')).toMatchObject({ status: 503, text: expect.stringContaining(state) });
    expect((await ask('healthz')).status).toBe(live);
    workerState = 'RUNNING';
  });

  it('tell of an event loop that stalled, until it has run well for a while', async () => {
    await until('readyz', 200, /^ok\n/);
    // What is remembered lasts for a few looks only, and on a busy machine an answer may come after them.
    await waitFor('readyz 503 for a stalled event loop', 15_000, async () => {
      const end = Date.now() + 700;
      while (Date.now() < end);
      const answer = await ask('readyz');
      const words = /event-loop failed: longest delay lately \d+\.\d+ s/;
      if (answer.status !== 503 || !words.test(answer.text)) throw new Error(`${answer.status} ${answer.text}`);
      return true;
    });
    await until('readyz', 200, /event-loop ok/);
  });

  it('tell of a state directory that cannot be written, until it can', async () => {
    const directory = path.join(folder, 'state');
    await rm(directory, { recursive: true });
    await until('readyz', 503, /state-directory failed: .* cannot be written: (Error: )?ENOENT/);
    expect((await ask('healthz')).status).toBe(200);
    await mkdir(directory);
    await until('readyz', 200, /^ok\n/);
  });

  it('tell of a Temporal that has gone: not ready, and no restart for it', async () => {
    await temporal.stop();
    await until('readyz', 503, /temporal failed: Temporal last answered \d+ s ago/);
    expect((await ask('healthz')).status).toBe(200);
  });
});
