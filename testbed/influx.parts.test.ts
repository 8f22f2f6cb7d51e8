import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { startInfluxd } from './influx.js';
import type { RunningInfluxd } from './influx.js';

let directory: string;
const before = process.env['PSMG_INFLUXD'];

beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'psmg-influxd-'));
});
afterEach(() => {
  if (before === undefined) delete process.env['PSMG_INFLUXD'];
  else process.env['PSMG_INFLUXD'] = before;
  rmSync(directory, { recursive: true, force: true });
});

const ask = (influx: RunningInfluxd, api: string, body: string, token = influx.token): Promise<Response> =>
  fetch(`${influx.url}/api/v2/${api}`, {
    method: 'POST',
    headers: { authorization: `Token ${token}`, 'content-type': 'application/vnd.flux' },
    body,
  });

const write = async (influx: RunningInfluxd, line: string, token?: string): Promise<number> =>
  (await ask(influx, `write?org=${influx.org}&bucket=${influx.bucket}&precision=ms`, line, token)).status;

async function values(influx: RunningInfluxd): Promise<string> {
  const flux = `from(bucket: "${influx.bucket}") |> range(start: 0) |> keep(columns: ["_value"])`;
  return (await ask(influx, `query?org=${influx.org}`, flux)).text();
}

describe('startInfluxd', () => {
  it('takes and answers with the chosen token alone, and keeps its data and port when restarted or killed', async () => {
    const influx = await startInfluxd({ directory, token: 'chosen', org: 'eyes', bucket: 'metrics' });
    const pids = [influx.pid];
    try {
      expect(await write(influx, 'demand,service=cart rps=17 1')).toBe(204);
      expect(await write(influx, 'demand,service=cart rps=99 2', 'another')).toBe(401);
      await influx.stop();
      await expect(fetch(influx.url)).rejects.toThrow();
      await influx.restart();
      pids.push(influx.pid);
      expect(await write(influx, 'demand,service=cart rps=23 3')).toBe(204);
      await influx.kill();
      await expect(fetch(influx.url)).rejects.toThrow();
      await influx.restart();
      pids.push(influx.pid);
      expect((await values(influx)).match(/\d+(?=\r?\n)/g)).toEqual(['17', '23']);
      expect(new Set(pids).size).toBe(3);
    } finally {
      await influx.stop();
    }
    expect(readdirSync(path.join(directory, 'pids'))).toEqual([]);
    await expect(fetch(influx.url)).rejects.toThrow();
  }, 60_000);

  it('takes up data that is there', async () => {
    const first = await startInfluxd({ directory });
    await write(first, 'demand,service=cart rps=41 1');
    await first.stop();
    const second = await startInfluxd({ directory });
    try {
      expect(await values(second)).toContain(',41');
    } finally {
      await second.stop();
    }
  }, 60_000);

  it('that ends before it is healthy is an error with what it said', async () => {
    const program = path.join(directory, 'ending');
    writeFileSync(program, '#!/bin/sh\necho no such engine >&2\nexit 3\n', { mode: 0o755 });
    process.env['PSMG_INFLUXD'] = program;
    await expect(startInfluxd({ directory })).rejects.toThrow(/ended before[^]*no such engine/);
    expect(existsSync(path.join(directory, 'pids')) ? readdirSync(path.join(directory, 'pids')) : []).toEqual([]);
  });
});
