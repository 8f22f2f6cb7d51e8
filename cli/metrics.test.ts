import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createSqliteMetricsStore } from '../adapters/metrics/sqlite.js';
import { projectRoot } from '../testbed/run.js';

const SECRET = 'a-token-that-nobody-may-see';
let directory: string;
beforeAll(async () => {
  directory = mkdtempSync(path.join(tmpdir(), 'psmg-metrics-cli-'));
  const store = createSqliteMetricsStore(path.join(directory, 'metrics.db'));
  await store.write([{ measurement: 'service', tags: { region: 'north' }, at: 1_700_000_000_000, fields: { rps: 4 } }]);
  await store.close();
  writeFileSync(path.join(directory, 'token'), SECRET);
});
afterAll(() => rmSync(directory, { recursive: true }));

async function psmg(args: string, environment: Record<string, string> = {}): Promise<{ code: number; out: string }> {
  const env = { PATH: process.env['PATH'] ?? '', PSMG_STATE: directory, ...environment };
  const child = spawn(process.execPath, [path.join(projectRoot, 'bin', 'psmg.js'), 'metrics', ...args.split(' ')], {
    cwd: projectRoot,
    env,
  });
  let out = '';
  child.stdout.on('data', (chunk: Buffer) => (out += String(chunk)));
  child.stderr.on('data', (chunk: Buffer) => {
    expect(String(chunk)).not.toContain(SECRET);
  });
  return new Promise((resolve) => child.once('close', (code) => resolve({ code: code ?? -1, out })));
}

const away = {
  PSMG_METRICS: 'influxdb',
  PSMG_INFLUX_URL: 'http://127.0.0.1:1',
  PSMG_INFLUX_ORG: 'eyes',
  PSMG_INFLUX_BUCKET: 'metrics',
};

describe('psmg metrics status', () => {
  it('says that the embedded store is well', async () => {
    const { code, out } = await psmg('status --format json');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ kind: 'sqlite', state: 'ok', queuedPoints: 0, queuedBytes: 0 });
  });

  it('names a server that is away, exits 1, and tells no token', async () => {
    const { code, out } = await psmg('status --format json', {
      ...away,
      PSMG_INFLUX_TOKEN_FILE: path.join(directory, 'token'),
    });
    expect(code).toBe(1);
    expect(out).not.toContain(SECRET);
    expect(JSON.parse(out)).toMatchObject({ kind: 'influxdb', state: 'unreachable' });
  });

  it('is refused as bad input without a token', async () => {
    expect(await psmg('status --format json', away)).toMatchObject({ code: 2 });
  });
});

describe('psmg metrics copy', () => {
  it('copies one file to another, and counts', async () => {
    const [from, to] = ['metrics', 'copy'].map((name) => `sqlite:${path.join(directory, `${name}.db`)}`);
    const { code, out } = await psmg(`copy --from ${from} --to ${to} --format json`);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual({
      measurements: ['service'],
      rows: 1,
      pointsIn: 1,
      pointsStored: 1,
      stopped: null,
    });
  });

  it('exits 1 when not every value arrives, and tells no token', async () => {
    const from = `sqlite:${path.join(directory, 'metrics.db')}`;
    const { code } = await psmg(`copy --from ${from} --to influxdb: --format json`, {
      ...away,
      PSMG_INFLUX_TOKEN_FILE: path.join(directory, 'missing'),
    });
    expect(code).toBe(1);
  });

  it('refuses what cannot be copied', async () => {
    expect(await psmg('copy --from sqlite:/none --to sqlite:/none')).toMatchObject({ code: 2 });
    expect(await psmg('copy --from csv:x --to influxdb:NOT_SET')).toMatchObject({ code: 2 });
  });
});
