import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import type { PrometheusToken } from '../../core/spec/prometheus.js';
import { openPrometheus } from './access.js';

let directory: string;
let server: http.Server;
let seen: http.IncomingHttpHeaders[] = [];

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'psmg-access-'));
  server = http.createServer((request, response) => {
    seen.push(request.headers);
    response.end('{"status":"success","data":{"resultType":"vector","result":[]}}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(directory, { recursive: true });
});

async function ask(token?: PrometheusToken, variables: Record<string, string> = {}): Promise<http.IncomingHttpHeaders> {
  seen = [];
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const access = {
    url,
    timeoutSeconds: 5,
    headers: { 'X-Scope-OrgID': 'a' },
    ...(token === undefined ? {} : { token }),
  };
  const around = { directory, variable: (name: string) => variables[name], now: () => 0 };
  await openPrometheus(access, around).instant({ query: 'up', atMs: 0 });
  return seen[0] ?? {};
}

describe('access to a Prometheus server', () => {
  it('is open where nothing is named', async () => {
    const headers = await ask();
    expect(headers.authorization).toBeUndefined();
    expect(headers['x-scope-orgid']).toBe('a');
  });

  it('takes a token from a variable or a file, bearer or basic', async () => {
    await writeFile(path.join(directory, 'token'), 'from-file\n');
    expect((await ask({ env: 'T' }, { T: 'from-env' })).authorization).toBe('Bearer from-env');
    expect((await ask({ file: 'token' })).authorization).toBe('Bearer from-file');
    const basic = (await ask({ env: 'T', scheme: 'basic' }, { T: 'me:pass word' })).authorization ?? '';
    expect(Buffer.from(basic.replace('Basic ', ''), 'base64').toString()).toBe('me:pass word');
  });

  it.each<[string, PrometheusToken, Record<string, string>, RegExp]>([
    ['a variable that is not set', { env: 'T' }, {}, /variable T is not set/],
    ['an empty one', { env: 'T' }, { T: ' ' }, /variable T is empty/],
    ['a file that is not there', { file: 'none' }, {}, /token file none cannot be read/],
    ['what is no token', { env: 'T' }, { T: 'hush\nhush' }, /variable T holds no token/],
    ['no user and password', { env: 'T', scheme: 'basic' }, { T: 'secret' }, /holds no "user:password"/],
  ])('sends nothing with %s, and never tells the secret', async (_, token, variables, words) => {
    const failure = await ask(token, variables).catch((error: unknown) => error);
    expect(failure).toMatchObject({ name: 'PrometheusError', failure: 'no-token' });
    expect(String(failure)).toMatch(words);
    expect(String(failure)).not.toMatch(/hush|secret/);
    expect(seen).toEqual([]);
  });
});
