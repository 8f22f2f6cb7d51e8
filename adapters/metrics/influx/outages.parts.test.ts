import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { startInfluxd } from '../../../testbed/influx.js';
import type { RunningInfluxd } from '../../../testbed/influx.js';
import type { MetricRow, MetricsStore } from '../port.js';
import { planSetup } from './setup.js';
import { openSetupServer } from './setupServer.js';
import type { InfluxMetricsOptions } from './store.js';
import { createInfluxMetricsStore } from './store.js';
import { api, createBucket, deleteBucket } from './testServer.js';

const LONG_MS = 120_000;
let directory: string;
let server: RunningInfluxd;
let bucket: string;
let bucketId: string;
let count = 0;
beforeAll(async () => {
  directory = mkdtempSync(path.join(tmpdir(), 'psmg-influx-'));
  server = await startInfluxd({ directory: path.join(directory, 'server') });
}, LONG_MS);
afterAll(async () => {
  await server.stop();
  rmSync(directory, { recursive: true });
}, LONG_MS);
beforeEach(async () => {
  bucket = `bucket-${(count += 1)}`;
  bucketId = await createBucket(server, bucket);
});

function opened(options: Partial<InfluxMetricsOptions> = {}): MetricsStore {
  return createInfluxMetricsStore({
    ...{ url: server.url, org: server.org, bucket, token: () => server.token },
    ...{ queueDirectory: path.join(directory, bucket), timeoutMs: 5000, ...options },
  });
}

async function until(store: MetricsStore, state: string): Promise<string> {
  for (let i = 0; i < 300; i += 1) {
    const health = await store.health();
    if (health.state === state && (state !== 'ok' || health.queuedPoints === 0)) return health.detail;
    await sleep(100);
  }
  throw new Error(`never ${state}: ${JSON.stringify(await store.health())}`);
}

const rowOf = (service: number, at: number): MetricRow => ({
  measurement: 'service',
  tags: { region: 'eu', service: `s${service}` },
  at,
  fields: { rps: at, p99Ms: at / 7, errors: service },
});

describe('InfluxDB that is away', () => {
  it(
    'stopped for a while and killed in the midst of writes: points in are points stored, and later ones win',
    async () => {
      const store = opened();
      const [from, seconds, services] = [1_700_000_000_000, 120, 20];
      let written = 0;
      for (let second = 0; second < seconds; second += 1) {
        const rows = Array.from({ length: services }, (_, i) => rowOf(i, from + second * 1000));
        // Written twice; the second must be what is found, also when both waited for the server.
        await store.write(rows.map((row) => ({ ...row, fields: { ...row.fields, errors: -1 } })));
        await store.write(rows);
        written += services * 3;
        if (second === 20) await server.stop();
        if (second === 50) await server.restart();
        if (second === 80) await server.kill();
        if (second === 100) await server.restart();
        await sleep(20);
      }
      await until(store, 'ok');
      const all = { measurement: 'service', fromMs: 0, toMs: Number.MAX_SAFE_INTEGER };
      const found = await store.query(all);
      const expected = Array.from({ length: seconds * services }, (_, i) =>
        rowOf(i % services, from + Math.floor(i / services) * 1000),
      );
      const key = (row: MetricRow): string =>
        JSON.stringify([row.at, row.tags['service'], row.fields['rps'], row.fields['p99Ms'], row.fields['errors']]);
      expect(found.map(key).sort()).toEqual(expected.map(key).sort());
      const counted = await store.query({ ...all, aggregate: { everyMs: 86_400_000, by: 'count' } });
      const values = counted.flatMap((row) => Object.values(row.fields)).reduce((a, b) => a + b, 0);
      expect(values).toBe(written);
      await store.close();
    },
    LONG_MS,
  );
});

describe('what is wrong is named and recovers by itself', () => {
  it(
    'a wrong token, and one that may only read',
    async () => {
      let token = 'wrong';
      const store = opened({ token: () => token });
      expect(await until(store, 'unauthorized')).toContain(bucket);
      await store.write([rowOf(1, 1000)]);
      const { orgs } = (await api(server, 'GET', 'orgs')) as { orgs: { id: string }[] };
      const orgID = orgs[0]?.id;
      const permissions = [{ action: 'read', resource: { type: 'buckets', id: bucketId, orgID } }];
      token = ((await api(server, 'POST', 'authorizations', { orgID, permissions })) as { token: string }).token;
      await sleep(5100);
      expect(await until(store, 'unauthorized')).toContain('insufficient permissions');
      const both = [...permissions, { ...permissions[0], action: 'write' }];
      token = ((await api(server, 'POST', 'authorizations', { orgID, permissions: both })) as { token: string }).token;
      await until(store, 'ok');
      expect(await store.query({ measurement: 'service', fromMs: 0, toMs: 2000 })).toEqual([rowOf(1, 1000)]);
      await store.close();
    },
    LONG_MS,
  );

  it(
    'a missing bucket, and a missing organisation',
    async () => {
      await deleteBucket(server, bucketId);
      const store = opened();
      await store.write([rowOf(1, 1000)]);
      expect(await until(store, 'no-bucket')).toContain('psmg metrics init');
      await createBucket(server, bucket);
      await until(store, 'ok');
      expect(await store.query({ measurement: 'service', fromMs: 0, toMs: 2000 })).toEqual([rowOf(1, 1000)]);
      await store.close();
      const elsewhere = opened({ org: 'nobody' });
      await until(elsewhere, 'no-bucket');
      await elsewhere.close();
    },
    LONG_MS,
  );

  it(
    'rows that do not fit: set aside with the words of the server, all others stored',
    async () => {
      await deleteBucket(server, bucketId);
      await createBucket(server, bucket, 3600);
      const now = Date.now();
      const write = await fetch(`${server.url}/api/v2/write?org=${server.org}&bucket=${bucket}&precision=ms`, {
        method: 'POST',
        headers: { authorization: `Token ${server.token}` },
        body: `service,region=eu,service=other clash=1i ${now}`,
      });
      expect(write.status).toBe(204);
      const store = opened();
      const good = Array.from({ length: 50 }, (_, i) => rowOf(1, now - i * 1000));
      const clash = { ...rowOf(2, now), fields: { clash: 1.5 } };
      await store.write([...good.slice(0, 20), rowOf(3, 1000), clash, ...good.slice(20)]);
      await until(store, 'rejected');
      const found = await store.query({ measurement: 'service', tags: { service: 's1' }, fromMs: 0, toMs: now + 1 });
      expect(found).toEqual([...good].reverse());
      const folder = path.join(directory, bucket);
      const [file = ''] = readdirSync(folder).filter((name) => name.startsWith('rejected-'));
      const lines = readFileSync(path.join(folder, file), 'utf8').trim().split('\n');
      expect(lines.filter((line) => !line.startsWith('#')).map((line) => line.split(' ')[0])).toEqual([
        'service,region=eu,service=s3',
        'service,region=eu,service=s2',
      ]);
      expect(lines.join()).toMatch(/retention policy.*field type conflict/s);
      expect(await store.health()).toMatchObject({ storedPoints: 150, queuedPoints: 0 });
      await store.close();
    },
    LONG_MS,
  );
});

describe('names', () => {
  it(
    'come back as they were written and are asked for, whatever they hold',
    async () => {
      const store = opened();
      const name = fc
        .string({
          minLength: 1,
          maxLength: 6,
          unit: fc.constantFrom(
            'a',
            ' ',
            ',',
            '=',
            '"',
            "'",
            '\\',
            '$',
            '{',
            '}',
            '/',
            '#',
            '|',
            'é',
            '🙂',
            '%',
            '(',
            ')',
          ),
        })
        .filter((text) => !/\\(?:[,= "]|$)/.test(text));
      let run = 0;
      await fc.assert(
        fc.asyncProperty(
          name,
          name,
          name.filter((text) => !text.startsWith(' ')),
          async (value, field, suffix) => {
            const measurement = `m${(run += 1)}${suffix}`;
            const row: MetricRow = {
              measurement,
              tags: { [`t${suffix}`]: value },
              at: 1000,
              fields: { [`f${field}`]: 0.1 },
            };
            await store.write([row, { ...row, tags: { [`t${suffix}`]: `${value}!` } }]);
            const query = { measurement, tags: row.tags, fields: [`f${field}`], fromMs: 0, toMs: 2000 };
            expect(await store.query(query)).toEqual([row]);
            expect(await store.query({ ...query, aggregate: { everyMs: 1000, by: 'max' } })).toEqual([row]);
          },
        ),
        { numRuns: 60 },
      );
      await store.close();
    },
    LONG_MS,
  );
});

describe('the setup', () => {
  it(
    'is made once, rolls up, and never shortens a retention unasked',
    async () => {
      const setup = await openSetupServer(server);
      const wanted = { bucket, keepSeconds: 691_200, rollupBucket: `${bucket}_1m`, rollupKeepSeconds: 0 };
      const first = planSetup(await setup.find(wanted), wanted, false);
      expect(first.actions.map((action) => action.do)).toEqual(['create-bucket', 'create-task']);
      expect(first.keptLonger).toEqual([{ name: bucket, foundSeconds: 0, wantedSeconds: 691_200 }]);
      for (const action of first.actions) await setup.apply(action);
      expect(planSetup(await setup.find(wanted), wanted, false).actions).toEqual([]);
      for (const action of planSetup(await setup.find(wanted), wanted, true).actions) await setup.apply(action);
      expect(await setup.find(wanted)).toMatchObject({ bucket: { keepSeconds: 691_200 }, rollup: { keepSeconds: 0 } });

      const minute = Math.floor(Date.now() / 60_000) * 60_000 - 120_000;
      const store = opened();
      await store.write([2, 4, 9].map((rps, i) => ({ ...rowOf(1, minute + i * 1000), fields: { rps } })));
      await store.putSnapshots('eu', [{ host: 'a', at: minute, services: {} }]);
      await until(store, 'ok');
      await store.close();
      const { task } = await setup.find(wanted);
      await api(server, 'POST', `tasks/${task?.id}/runs`, {});
      const rollup = opened({ bucket: wanted.rollupBucket, queueDirectory: path.join(directory, 'rollup') });
      const at = async (by: string): Promise<unknown> =>
        (await rollup.query({ measurement: `service.${by}`, fromMs: 0, toMs: Date.now() }))[0];
      for (let i = 0; i < 100 && (await at('count')) === undefined; i += 1) await sleep(100);
      const { tags } = rowOf(1, 0);
      for (const [by, rps] of [
        ['mean', 5],
        ['min', 2],
        ['max', 9],
        ['count', 3],
      ] as const) {
        expect(await at(by)).toEqual({ measurement: `service.${by}`, tags, at: minute, fields: { rps } });
      }
      await rollup.close();
    },
    LONG_MS,
  );
});
