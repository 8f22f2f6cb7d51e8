import http from 'node:http';
import type { AddressInfo } from 'node:net';

import { afterEach, describe, expect, it } from '@jest/globals';

import { freePort } from '../../testbed/ports.js';
import { createPrometheusClient } from './client.js';
import { PrometheusError } from './errors.js';
import type { PrometheusClient, PrometheusClientOptions, PrometheusLimits } from './port.js';

interface Received {
  path: string;
  form: URLSearchParams;
  headers: http.IncomingHttpHeaders;
}
type Respond = (request: Received, response: http.ServerResponse, count: number) => void;

const servers: http.Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  }
});

/** A server that fails as it is told. */
async function faulty(respond: Respond): Promise<{ url: string; received: Received[] }> {
  const received: Received[] = [];
  const server = http.createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      const one = { path: request.url ?? '', form: new URLSearchParams(body), headers: request.headers };
      received.push(one);
      respond(one, response, received.length);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  servers.push(server);
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, received };
}

const FAST = { backoffMs: 1, maxBackoffMs: 20 };

function client(url: string, limits: Partial<PrometheusLimits> = {}, more: Partial<PrometheusClientOptions> = {}) {
  return createPrometheusClient({ url, timeoutMs: 5000, limits: { ...FAST, ...limits }, ...more });
}

function send(
  response: http.ServerResponse,
  body: unknown,
  status = 200,
  headers: http.OutgoingHttpHeaders = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
}

function vector(value: string, more: object = {}): object {
  const result = [{ metric: { service: 'shop' }, value: [1000, value] }];
  return { status: 'success', data: { resultType: 'vector', result }, ...more };
}

/** A value at each step of the request, as Prometheus gives it: the time itself. */
function steps({ form }: Received): object {
  const [start, end, step] = ['start', 'end', 'step'].map((name) => Number(form.get(name))) as [number, number, number];
  const values: [number, string][] = [];
  for (let at = start; at <= end + 1e-6; at = Math.round((at + step) * 1000) / 1000) values.push([at, String(at)]);
  return { status: 'success', data: { resultType: 'matrix', result: [{ metric: { a: '1' }, values }] } };
}

async function failureOf(asked: Promise<unknown>): Promise<PrometheusError> {
  const outcome = await asked.then(
    () => null,
    (error: unknown) => error,
  );
  if (!(outcome instanceof PrometheusError)) throw new Error(`not refused, but ${String(outcome)}`);
  return outcome;
}

const instant = (of: PrometheusClient, query = 'up'): ReturnType<PrometheusClient['instant']> =>
  of.instant({ query, atMs: 1_000_000 });

describe('a Prometheus client', () => {
  it('posts the query below the path prefix, with its headers and the time that it has', async () => {
    const { url, received } = await faulty((_, response) => send(response, vector('2.5')));
    const reader = client(`${url}/prometheus/`, {}, { headers: async () => ({ 'x-scope-orgid': 'shop' }) });
    const { series, isPartial } = await instant(reader, 'sum(up)');
    expect(series).toEqual([{ labels: { service: 'shop' }, samples: [{ at: 1_000_000, value: 2.5 }] }]);
    expect(isPartial).toBe(false);
    expect(received[0]).toMatchObject({ path: '/prometheus/api/v1/query', headers: { 'x-scope-orgid': 'shop' } });
    expect(Object.fromEntries(received[0]?.form ?? [])).toEqual({ query: 'sum(up)', time: '1000.000', timeout: '5s' });
  });

  it('takes no address that holds a secret', () => {
    expect(() => client('http://me:pw@127.0.0.1:9')).toThrow(TypeError);
  });

  it('pages by time: no more points than allowed in a request, each step once, whatever from and to are', async () => {
    const { url, received } = await faulty((request, response) => send(response, steps(request)));
    const reader = client(url, { maxPointsPerQuery: 7 });
    const { series } = await reader.range({ query: 'up', fromMs: 59_999, toMs: 1_514_999, stepMs: 15_000 });
    const times = series[0]?.samples.map(({ at }) => at);
    expect(times).toEqual(Array.from({ length: 98 }, (_, i) => 45_000 + i * 15_000));
    expect(received).toHaveLength(14);
    for (const { form } of received) {
      const points = (Number(form.get('end')) - Number(form.get('start'))) / Number(form.get('step')) + 1;
      expect(points).toBeLessThanOrEqual(7);
    }
    const later = await reader.range({ query: 'up', fromMs: 45_000, toMs: 1_500_000, stepMs: 15_000 });
    expect(later.series).toEqual(series);
  });

  it('asks in halves for what is too much to read at once', async () => {
    const { url, received } = await faulty((request, response) => {
      const seconds = Number(request.form.get('end')) - Number(request.form.get('start'));
      const error = 'query processing would load too many samples into memory in query execution';
      if (seconds > 30) send(response, { status: 'error', errorType: 'execution', error }, 422);
      else send(response, steps(request));
    });
    const { series } = await client(url).range({ query: 'up', fromMs: 0, toMs: 99_000, stepMs: 1000 });
    expect(series[0]?.samples.map(({ at }) => at)).toEqual(Array.from({ length: 100 }, (_, i) => i * 1000));
    expect(received.length).toBeGreaterThan(4);
  });

  it('tells a step that is too much by itself', async () => {
    const error = 'query processing would load too many samples into memory in query execution';
    const { url, received } = await faulty((_, response) =>
      send(response, { status: 'error', errorType: 'execution', error }, 422),
    );
    const failure = await failureOf(client(url).range({ query: 'up', fromMs: 0, toMs: 3000, stepMs: 1000 }));
    expect(failure.failure).toBe('too-much');
    expect(received).toHaveLength(3);
  });

  it.each([
    [429, { 'retry-after': '0' }],
    [503, {}],
    [500, {}],
  ])('asks again after %d', async (status, headers) => {
    const { url, received } = await faulty((_, response, count) => {
      if (count < 3) send(response, 'busy', status, headers);
      else send(response, vector('1'));
    });
    expect((await instant(client(url))).series).toHaveLength(1);
    expect(received).toHaveLength(3);
  });

  it('gives up after its attempts, with what the server said and the query', async () => {
    const busy = { status: 'error', errorType: 'unavailable', error: 'the queue is full' };
    const { url, received } = await faulty((_, response) => send(response, busy, 503));
    const failure = await failureOf(instant(client(url, { attempts: 3 }), 'sum(\n  up)'));
    expect(received).toHaveLength(3);
    expect(failure).toMatchObject({ failure: 'unavailable', name: 'PrometheusError' });
    expect(failure.message).toBe(`prometheus ${url} cannot answer now (503: the queue is full) to sum( up)`);
  });

  it('asks again when the connection breaks, and tells when nothing is there', async () => {
    const { url } = await faulty((_, response, count) => {
      if (count === 1) response.destroy();
      else send(response, vector('1'));
    });
    expect((await instant(client(url))).series).toHaveLength(1);
    const nobody = `http://127.0.0.1:${await freePort()}`;
    const failure = await failureOf(instant(client(nobody, { attempts: 2 })));
    expect(failure.failure).toBe('unreachable');
    expect(failure.message).toContain(`prometheus ${nobody} cannot be reached: connect ECONNREFUSED`);
  });

  it('does not wait for what never comes', async () => {
    const { url, received } = await faulty(() => undefined);
    const failure = await failureOf(instant(client(url, { attempts: 2 }, { timeoutMs: 50 })));
    expect(failure.failure).toBe('timeout');
    expect(received).toHaveLength(2);
  });

  it('stops at once with the reason of its signal, even between attempts', async () => {
    const { url, received } = await faulty((_, response) => send(response, 'busy', 503));
    const stop = new AbortController();
    const asked = client(url, { backoffMs: 60_000, maxBackoffMs: 60_000 }).instant(
      { query: 'up', atMs: 0 },
      stop.signal,
    );
    const outcome = asked.catch((error: unknown) => error);
    while (received.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    stop.abort(new Error('enough'));
    expect(await outcome).toEqual(new Error('enough'));
    expect(received).toHaveLength(1);
  });

  it.each([
    ['truncated JSON', '{"status":"success","data":{"resul', /no JSON/],
    ['an empty body', '', /an empty body/],
    ['another JSON', { status: 'ok' }, /no answer to a query/],
    [
      'values that are no texts',
      { ...vector('1'), data: { resultType: 'vector', result: [{ metric: {}, value: [1, 2] }] } },
      /at data\.result\.0\.value\.1/,
    ],
    ['a web page', '<html>', /no JSON/],
  ])('tells %s for what it is, and asks no second time', async (_, body, words) => {
    const { url, received } = await faulty((_request, response) => send(response, body));
    const failure = await failureOf(instant(client(url)));
    expect(failure.failure).toBe('not-prometheus');
    expect(failure.message).toMatch(words);
    expect(received).toHaveLength(1);
  });

  it('takes no more bytes and no more series than it is told', async () => {
    let sent = 0;
    const huge = await faulty((_, response) => {
      response.writeHead(200);
      const more = (): void => {
        while (!response.destroyed && sent < 300e6) {
          sent += 65_536;
          if (!response.write(Buffer.alloc(65_536, ' '))) return void response.once('drain', more);
        }
        response.end();
      };
      more();
    });
    expect((await failureOf(instant(client(huge.url, { maxMiB: 1 })))).failure).toBe('too-large');
    expect(sent).toBeLessThan(100e6);
    const result = Array.from({ length: 11 }, (_, i) => ({ metric: { i: String(i) }, value: [1, '1'] }));
    const many = await faulty((_, response) =>
      send(response, { status: 'success', data: { resultType: 'vector', result } }),
    );
    expect((await failureOf(instant(client(many.url, { maxSeries: 10 })))).message).toMatch(/11 series, more than 10/);
  });

  it('follows no redirect: neither query nor secret goes elsewhere', async () => {
    const elsewhere = await faulty((_, response) => send(response, vector('1')));
    for (const status of [301, 302, 307, 308]) {
      const { url } = await faulty((_, response) => send(response, '', status, { location: `${elsewhere.url}/x` }));
      const failure = await failureOf(instant(client(url)));
      expect(failure.message).toContain(`redirects (${status}) to ${elsewhere.url}/x`);
    }
    expect(elsewhere.received).toEqual([]);
  });

  it.each([
    [401, 'unauthorized', {}],
    [403, 'unauthorized', {}],
    [404, 'not-prometheus', {}],
    [400, 'bad-query', { status: 'error', errorType: 'bad_data', error: '1:5: parse error' }],
    [422, 'bad-query', { status: 'error', errorType: 'execution', error: 'many-to-many matching' }],
  ])('tells %d as %s, and asks no second time', async (status, failure, body) => {
    const { url, received } = await faulty((_, response) => send(response, body, status));
    expect((await failureOf(instant(client(url), 'sum(up'))).failure).toBe(failure);
    expect(received).toHaveLength(1);
  });

  it('leaves out what is no finite number: missing, not zero', async () => {
    const values = ['1', 'NaN', '+Inf', '-Inf', '', '2', '1e-3'].map((value, i) => [i, value]);
    const data = { resultType: 'matrix', result: [{ metric: {}, values }] };
    const { url } = await faulty((_, response) => send(response, { status: 'success', data }));
    expect((await instant(client(url))).series[0]?.samples).toEqual([
      { at: 0, value: 1 },
      { at: 5000, value: 2 },
      { at: 6000, value: 0.001 },
    ]);
  });

  it('tells warnings and infos of all pages once, and a partial answer', async () => {
    const { url } = await faulty((request, response) => {
      const notices = { warnings: ['store 2 is away'], infos: ['no counter?'] };
      send(response, { ...steps(request), ...(request.form.get('start') === '2.000' ? notices : {}) });
    });
    const answer = await client(url, { maxPointsPerQuery: 1 }).range({
      query: 'up',
      fromMs: 0,
      toMs: 3000,
      stepMs: 1000,
    });
    expect(answer).toMatchObject({
      isPartial: true,
      notices: [
        { kind: 'warning', text: 'store 2 is away' },
        { kind: 'info', text: 'no counter?' },
      ],
    });
    expect(answer.series[0]?.samples).toHaveLength(4);
    const marked = await faulty((_, response) => send(response, vector('1', { isPartial: true })));
    expect(await instant(client(marked.url))).toMatchObject({ isPartial: true, notices: [] });
    const fine = await faulty((_, response) => send(response, vector('1', { infos: ['no counter?'] })));
    expect(await instant(client(fine.url))).toMatchObject({ isPartial: false, notices: [{ kind: 'info' }] });
  });
});
