import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { portOf } from '../../../testbed/ports.js';
import type { MetricRow, MetricsStore, StoreState } from '../port.js';
import { MetricsStoreFullError } from '../errors.js';
import { QueueFullError, QueueLockedError } from './errors.js';
import { inspectInflux } from './inspect.js';
import type { ProxySnapshot } from '../../../core/spec/observation.js';
import { encodeSnapshots, recentSnapshots } from './snapshots.js';
import type { InfluxMetricsOptions } from './store.js';
import { createInfluxMetricsStore } from './store.js';

/** Stands for a server that fails: how it answers the next writes. Real ones are in influx.parts.test.ts. */
type Fault = (request: IncomingMessage, response: ServerResponse) => void;

const says =
  (status: number, message: string, headers: Record<string, string> = {}): Fault =>
  (_, response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify({ code: 'x', message }));
  };

let directory: string;
let server: Server;
let fault: Fault | null;
let stored: string[];
let tokens: Set<string>;
let store: MetricsStore | null;
beforeEach(async () => {
  directory = mkdtempSync(path.join(tmpdir(), 'psmg-influx-'));
  [fault, stored, tokens, store] = [null, [], new Set(), null];
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks);
      tokens.add(request.headers.authorization ?? '');
      if (fault !== null) return fault(request, response);
      const text = (request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body).toString();
      stored.push(...text.split('\n').filter(Boolean));
      response.writeHead(204).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterEach(async () => {
  await store?.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  rmSync(directory, { recursive: true });
});

function opened(options: Partial<InfluxMetricsOptions> = {}): MetricsStore {
  const url = `http://127.0.0.1:${portOf(server)}`;
  const place = { url, org: 'eyes', bucket: 'metrics', token: () => 'right', queueDirectory: directory };
  store = createInfluxMetricsStore({ ...place, timeoutMs: 300, flushEveryMs: 5, ...options });
  return store;
}

const row = (at: number): MetricRow => ({
  measurement: 'm',
  tags: { service: 'shop' },
  at,
  fields: { rps: at, p99Ms: 5 },
});

async function until(condition: () => Promise<boolean> | boolean): Promise<void> {
  for (let i = 0; i < 400 && !(await condition()); i += 1) await sleep(20);
  expect(await condition()).toBe(true);
}

const hangs: Fault = () => undefined;
const breaksOff: Fault = (request) => request.socket.destroy();

describe('a write that fails', () => {
  it.each<[string, StoreState, Fault]>([
    ['a broken connection', 'unreachable', breaksOff],
    ['no answer', 'unreachable', hangs],
    ['an error of the server', 'overloaded', says(500, 'internal error')],
    ['a server that asks for patience', 'overloaded', says(429, 'slow down', { 'retry-after': '1' })],
    [
      'a page of somebody else',
      'overloaded',
      (_, response) => void response.writeHead(200).end('<html>welcome</html>'),
    ],
    ['a wrong token', 'unauthorized', says(401, 'unauthorized access')],
    ['a token that may not write', 'unauthorized', says(403, 'insufficient permissions for write')],
    ['a missing bucket', 'no-bucket', says(404, 'bucket "metrics" not found')],
  ])('is never counted as stored, is named in health, and is made up for: %s', async (_, state, how) => {
    fault = how;
    const metrics = opened();
    await metrics.write([row(1), row(2)]);
    await until(async () => (await metrics.health()).state === state);
    await metrics.write([row(3)]);
    expect(await metrics.health()).toMatchObject({ state, storedPoints: 0, queuedPoints: 6 });
    expect((await metrics.health()).detail).not.toContain('right');
    fault = null;
    await until(async () => (await metrics.health()).state === 'ok');
    await until(() => stored.length >= 3);
    expect(stored.map((line) => line.split(' ').at(-1))).toEqual(['1', '2', '3']);
    await until(async () => (await metrics.health()).storedPoints === 6);
    expect(await metrics.health()).toMatchObject({ queuedPoints: 0, queuedBytes: 0 });
  });

  it('is made up for by the next process, and closing does not wait for a server that is away', async () => {
    fault = breaksOff;
    const first = opened();
    await first.write([row(1)]);
    await until(async () => (await first.health()).state === 'unreachable');
    await first.close();
    fault = null;
    opened();
    await until(() => stored.length > 0);
    expect(stored).toEqual(['m,service=shop rps=1,p99Ms=5 1']);
  });
});

describe('a rotated token', () => {
  it('is taken up', async () => {
    let token = 'old\n';
    const metrics = opened({ token: () => token });
    await metrics.write([row(1)]);
    await until(() => stored.length === 1);
    token = 'new\n';
    await metrics.write([row(2)]);
    await until(() => stored.length === 2);
    expect([...tokens]).toEqual(['Token old', 'Token new']);
  });

  it('that cannot be read is a wrong token', async () => {
    const token = (): string => readFileSync(path.join(directory, 'no-such-file'), 'utf8');
    expect(await opened({ token }).health()).toMatchObject({ state: 'unauthorized' });
  });
});

describe('a full queue', () => {
  it('refuses new rows with none of them kept, says why, and takes rows again once the server does', async () => {
    fault = says(404, 'bucket "metrics" not found');
    const metrics = opened({ maxQueueBytes: 2000 });
    let kept = 0;
    const fill = async (): Promise<void> => {
      for (;;) await metrics.write([row((kept += 1))]);
    };
    await expect(fill()).rejects.toThrow(QueueFullError);
    kept -= 1;
    const { state, detail } = await metrics.health();
    expect(state).toBe('queue-full');
    expect(detail).toContain('bucket "metrics" not found');
    fault = null;
    await until(async () => (await metrics.health()).state === 'ok');
    await until(() => stored.length >= kept);
    await metrics.write([row(1000)]);
    await until(() => stored.length > kept);
    expect(stored.map((line) => Number(line.split(' ').at(-1)))).toEqual([
      ...Array.from({ length: kept }, (_, i) => i + 1),
      1000,
    ]);
  });
});

describe('rows that the server refuses', () => {
  it('are set aside with its words, and the rest goes on', async () => {
    // To nothing at all a server that means it says yes.
    fault = (request, response) => {
      if (request.headers['content-length'] === '0') response.writeHead(204).end();
      else says(422, 'partial write: points beyond retention policy dropped=1')(request, response);
    };
    const metrics = opened();
    await metrics.write([row(2)]);
    await until(async () => (await metrics.health()).state === 'rejected');
    fault = null;
    const [file = ''] = readdirSync(directory).filter((name) => name.startsWith('rejected-'));
    expect((await metrics.health()).detail).toContain(file);
    const text = readFileSync(path.join(directory, file), 'utf8');
    expect(text).toContain('# 422 partial write: points beyond retention policy');
    expect(text).toContain('\nm,service=shop rps=2,p99Ms=5 2\n');
    await metrics.write([row(3)]);
    await until(() => stored.includes('m,service=shop rps=3,p99Ms=5 3'));
    // The server has a row a moment before its answer is counted.
    await until(async () => (await metrics.health()).storedPoints === 2);
    expect(await metrics.health()).toMatchObject({ state: 'rejected', storedPoints: 2, queuedPoints: 0 });
    rmSync(path.join(directory, file));
    expect(await metrics.health()).toMatchObject({ state: 'ok' });
  });
});

describe('a disk without room', () => {
  it('refuses rows by name, and health says so while the server is well', async () => {
    symlinkSync('/dev/full', path.join(directory, '00000001.seg'));
    const metrics = opened();
    await expect(metrics.write([row(1)])).rejects.toThrow(MetricsStoreFullError);
    await expect(metrics.putSnapshots('north', [SNAPSHOT])).rejects.toThrow('the disk of the metrics queue');
    expect(await metrics.health()).toMatchObject({ state: 'queue-full', queuedPoints: 0 });
  });
});

const SNAPSHOT: ProxySnapshot = { host: 'edge-1', at: 5000, planHash: 'p', services: {} };

describe('the last reading of a region', () => {
  it('is known while the server is away, as of its time and no earlier', async () => {
    fault = says(503, 'away');
    const metrics = opened();
    await metrics.putSnapshots('north', [{ ...SNAPSHOT, at: 1000 }]);
    await metrics.putSnapshots('north', [SNAPSHOT]);
    await until(async () => (await metrics.health()).state === 'overloaded');
    expect(await metrics.latestSnapshots('north', 9000)).toEqual([SNAPSHOT]);
    await expect(metrics.latestSnapshots('north', 2000)).rejects.toThrow('503');
    await expect(metrics.latestSnapshots('south', 9000)).rejects.toThrow('503');
  });

  it('is kept within a bound', () => {
    const line = encodeSnapshots('north', [SNAPSHOT]);
    const recent = recentSnapshots(line.length * 2.5);
    for (const region of ['a', 'b', 'a', 'c']) recent.keep(region, line);
    expect(['a', 'b', 'c'].map((region) => recent.latest(region, 5000)?.length ?? null)).toEqual([1, null, 1]);
  });
});

describe('who refuses even nothing', () => {
  it('is no store that is well, whether rows wait or not, to the worker and to `psmg metrics status`', async () => {
    fault = says(400, 'no');
    const metrics = opened();
    expect(await metrics.health()).toMatchObject({ state: 'overloaded' });
    await metrics.write([row(1)]);
    const url = `http://127.0.0.1:${portOf(server)}`;
    const target = { url, org: 'eyes', bucket: 'metrics', token: () => 'right', timeoutMs: 500 };
    expect(await inspectInflux(target, directory)).toMatchObject({
      state: 'overloaded',
      queuedPoints: 2,
    });
    fault = null;
    await until(async () => (await metrics.health()).state === 'ok');
    expect(await inspectInflux(target, directory)).toMatchObject({ state: 'ok', queuedPoints: 0 });
    expect(await inspectInflux(target, path.join(directory, 'none'))).toMatchObject({ state: 'ok' });
  });
});

describe('a question', () => {
  const flux = 'result,table,_time,_field,_value,service\r\n,0,1970-01-01T00:00:01Z,rps,4,shop\r\n';
  const asks = { measurement: 'm', fromMs: 0, toMs: 5000 };

  it.each([404, 405, 501])(
    'goes by Flux where InfluxQL is not offered (%d), and is not tried again',
    async (status) => {
      const paths: string[] = [];
      fault = (request, response) => {
        paths.push((request.url ?? '').split('?')[0] ?? '');
        if (request.url?.startsWith('/query') === true) return says(status, 'not here')(request, response);
        response.writeHead(200, { 'content-type': 'application/csv' }).end(flux);
      };
      const metrics = opened();
      for (const _ of [1, 2]) {
        expect(await metrics.query(asks)).toEqual([
          { measurement: 'm', tags: { service: 'shop' }, at: 1000, fields: { rps: 4 } },
        ]);
      }
      expect(paths).toEqual(['/query', '/api/v2/query', '/api/v2/query']);
    },
  );

  it('whose answer breaks off is no shorter answer', async () => {
    fault = (_, response) => {
      response.writeHead(200, { 'content-type': 'application/csv' });
      response.write(flux, () => response.destroy());
    };
    const metrics = opened();
    await expect(metrics.query({ ...asks, aggregate: { everyMs: 1000, by: 'mean' } })).rejects.toThrow('InfluxDB');
    await expect(metrics.query(asks)).rejects.toThrow();
  });
});

describe('the folder of the queue', () => {
  it('belongs to one store', () => {
    opened();
    expect(() =>
      createInfluxMetricsStore({ url: 'http://x', org: 'o', bucket: 'b', token: () => '', queueDirectory: directory }),
    ).toThrow(QueueLockedError);
  });
});
