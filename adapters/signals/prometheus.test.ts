import { mkdtemp, rm } from 'node:fs/promises';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import type { PrometheusSignalsSpec } from '../../core/spec/signalSource.js';
import type { ServiceSignals, SignalSet } from '../../core/spec/signals.js';
import { UNKNOWN_SIGNALS } from '../../core/tuning/fixtures.js';
import { serviceSpec, shopRegion } from '../../test/fixtures/regionSpec.js';
import { startPrometheus } from '../../testbed/prometheus.js';
import type { RunningPrometheus } from '../../testbed/prometheus.js';
import { createSignalSource } from './source.js';

const START_MS = Date.UTC(2026, 2, 1);
const SCRAPE_SECONDS = 15;
const SCRAPES = 41;
const END_MS = START_MS + (SCRAPES - 1) * SCRAPE_SECONDS * 1000;

/** One metric: a line for each series and scrape. */
class Page {
  private readonly lines: string[] = [];

  metric(name: string, type: 'counter' | 'gauge', all: Record<string, (seconds: number) => number>, scrapes = SCRAPES) {
    this.lines.push(
      `# TYPE ${type === 'counter' ? name.replace(/_total$/, '') : name} ${type === 'counter' && !name.endsWith('_total') ? 'unknown' : type}`,
    );
    for (const [labels, value] of Object.entries(all)) {
      for (let i = 0; i < scrapes; i += 1) {
        const seconds = i * SCRAPE_SECONDS;
        this.lines.push(`${name}{${labels}} ${value(seconds)} ${START_MS / 1000 + seconds}`);
      }
    }
    return this;
  }

  /** Cumulative buckets of requests that come evenly: upper bound → how many a second are at most that. */
  histogram(name: string, labels: string, buckets: Record<string, number>) {
    const all = Object.entries(buckets).map(([le, rps]) => [`${labels},le="${le}"`, (s: number) => rps * s] as const);
    return this.metric(name, 'counter', Object.fromEntries(all));
  }

  text(): string {
    return this.lines.join('\n');
  }
}

const istio = (service: string, more: string): string =>
  `reporter="destination",destination_service_name="${service}",destination_service_namespace="prod",${more}`;

function page(): string {
  return new Page()
    .metric('istio_requests_total', 'counter', {
      [istio('shop', 'response_code="200"')]: (s) => 9 * s,
      [istio('shop', 'response_code="503"')]: (s) => s,
      [istio('pay', 'response_code="200"')]: (s) => 4 * s,
      [istio('idle', 'response_code="200"')]: () => 7,
      [istio('shop', 'response_code="200"').replace('"prod"', '"test"')]: (s) => 100 * s,
      [istio('shop', 'response_code="200"').replace('"destination"', '"source"')]: (s) => 50 * s,
    })
    .histogram('istio_request_duration_milliseconds_bucket', istio('shop', 'response_code="200"'), {
      '10': 5,
      '20': 9,
      '40': 10,
      '+Inf': 10,
    })
    .metric('kube_deployment_status_replicas_ready', 'gauge', {
      'namespace="prod",deployment="shop"': () => 3,
      'namespace="prod",deployment="pay-v1"': () => 2,
      'namespace="test",deployment="shop"': () => 8,
    })
    .metric('container_cpu_usage_seconds_total', 'counter', {
      'namespace="prod",pod="shop-6d5f7c9b8d-abc12",container="app"': (s) => 0.5 * s,
      'namespace="prod",pod="shop-6d5f7c9b8d-abc13",container="app"': (s) => 0.25 * s,
      'namespace="prod",pod="shop-6d5f7c9b8d-abc13",container=""': (s) => 99 * s,
    })
    .metric('container_memory_working_set_bytes', 'gauge', {
      'namespace="prod",pod="shop-6d5f7c9b8d-abc12",container="app"': () => 64 * 1_048_576,
      'namespace="prod",pod="shop-6d5f7c9b8d-abc13",container="app"': () => 32 * 1_048_576,
    })
    .metric('process_cpu_seconds_total', 'counter', { 'job="pay"': (s) => 0.125 * s })
    .metric('http_server_request_duration_seconds_count', 'counter', {
      'job="shop",http_response_status_code="200"': (s) => 3 * s,
      'job="shop",http_response_status_code="500"': (s) => s,
    })
    .metric('traces_service_graph_request_total', 'counter', {
      'client="edge",server="shop"': (s) => 3 * s,
      'client="pay",server="shop"': (s) => 5 * s,
    })
    .metric('traces_service_graph_request_failed_total', 'counter', { 'client="edge",server="shop"': (s) => 2 * s })
    .metric('gone_requests_total', 'counter', { 'service="shop"': (s) => 2 * s }, 31)
    .text();
}

type Change = Partial<PrometheusSignalsSpec>;

async function read(
  url: string,
  change: Change,
  toMs = END_MS,
  names = ['shop', 'pay', 'idle', 'none'],
): Promise<SignalSet> {
  const prometheus: PrometheusSignalsSpec = {
    url,
    timeoutSeconds: 5,
    minWindowSeconds: 120,
    maxAgeSeconds: 60,
    ...change,
  };
  const spec = shopRegion({ services: names.map((name) => serviceSpec({ name })), signals: { prometheus } });
  const limits = { attempts: 1 };
  const source = createSignalSource('/', { variable: () => undefined, now: () => toMs, limits });
  return source.read(spec, toMs - 10_000, toMs, new AbortController().signal);
}

const of = (set: SignalSet, service: string): ServiceSignals | undefined =>
  set.services.find((s) => s.service === service);

describe('live signals from a real Prometheus', () => {
  let directory: string;
  let server: RunningPrometheus;
  beforeAll(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'psmg-signals-'));
    server = await startPrometheus({ directory, scrape: [], openMetrics: page() });
  }, 40_000);
  afterAll(async () => {
    await server.stop();
    await rm(directory, { recursive: true, force: true });
  });

  it('are what Istio and Kubernetes counted, and nothing where they did not', async () => {
    const set = await read(server.url, { preset: 'istio', namespace: 'prod', names: { 'pay-v1': 'pay' } });
    expect(set).toMatchObject({ source: `prometheus ${server.url}`, fromMs: END_MS - 120_000, toMs: END_MS });
    expect(set.services.map((s) => s.service)).toEqual(['shop', 'pay', 'idle', 'none']);
    const shop = of(set, 'shop');
    expect(shop?.rps).toBeCloseTo(10, 6);
    expect(shop?.errorRate).toBeCloseTo(0.1, 6);
    expect(shop?.p50Ms).toBeCloseTo(10, 6);
    expect(shop?.p99Ms).toBeCloseTo(38, 6);
    expect(shop?.cpuCores).toBeCloseTo(0.75, 6);
    expect(shop).toMatchObject({ readyInstances: 3, memoryMiB: 96, ageSeconds: 0 });
    // No errors is zero of them; no histogram is no quantile; no pods, but a process of its own.
    expect(of(set, 'pay')).toMatchObject({ errorRate: 0, p50Ms: null, readyInstances: 2, memoryMiB: null });
    expect(of(set, 'pay')?.rps).toBeCloseTo(4, 6);
    expect(of(set, 'pay')?.cpuCores).toBeCloseTo(0.125, 6);
    // Measured, and without requests: zero; a share of nothing is not known.
    expect(of(set, 'idle')).toMatchObject({ rps: 0, errorRate: null, ageSeconds: 0 });
    expect(of(set, 'none')).toEqual({ service: 'none', ...UNKNOWN_SIGNALS, ageSeconds: END_MS / 1000 });
    expect(set.problems).toEqual(['none: nothing was measured in the last minutes']);
  });

  it('are what OpenTelemetry counted, by server and by service graph', async () => {
    const otel = of(await read(server.url, { preset: 'otel' }), 'shop');
    expect(otel?.rps).toBeCloseTo(4, 6);
    expect(otel?.errorRate).toBeCloseTo(0.25, 6);
    const graph = of(await read(server.url, { preset: 'servicegraph' }), 'shop');
    expect(graph?.rps).toBeCloseTo(8, 6);
    expect(graph?.errorRate).toBeCloseTo(0.25, 6);
  });

  it('are not known once they are too old, and say so', async () => {
    const own: Change = {
      serviceLabel: 'service',
      queries: {
        rps: 'sum by (service) (rate(gone_requests_total[10m]))',
        newest: 'max by (service) (timestamp(gone_requests_total))',
        readyInstances: 'sum by (service) (last_over_time(gone_requests_total[1h]))',
      },
    };
    const set = await read(server.url, own, END_MS, ['shop']);
    expect(of(set, 'shop')).toMatchObject({ rps: null, ageSeconds: 150 });
    expect(set.problems).toEqual(['shop: the newest sample is 150 s old, more than 60 s']);
    const patient = await read(server.url, { ...own, maxAgeSeconds: 200 }, END_MS, ['shop']);
    expect(of(patient, 'shop')?.rps).toBeGreaterThan(0);
    expect(patient.problems).toEqual([]);
    const late = await read(server.url, { preset: 'istio', namespace: 'prod' }, END_MS + 61_000, ['shop']);
    expect(of(late, 'shop')).toMatchObject({ rps: null, p99Ms: null, readyInstances: null, memoryMiB: null });
  });

  it('take own queries for their fields, with the window and greatest age filled in', async () => {
    const queries = {
      rps: '2 * sum by (destination_service_name) (rate(istio_requests_total{reporter="source"}[$window])) > $maxAge',
    };
    const set = await read(server.url, { preset: 'istio', namespace: 'prod', queries }, END_MS, ['shop']);
    expect(of(set, 'shop')?.rps).toBeCloseTo(100, 6);
    expect(of(set, 'shop')?.errorRate).toBeCloseTo(0.1, 6);
  });

  it('tell what cannot be put together, and add up what can', async () => {
    const names = { shop: 'all', pay: 'all' };
    const set = await read(server.url, { preset: 'istio', namespace: 'prod', names }, END_MS, ['all']);
    expect(of(set, 'all')?.rps).toBeCloseTo(14, 6);
    expect(of(set, 'all')).toMatchObject({ errorRate: null, readyInstances: 3 });
    expect(set.problems).toEqual([
      `prometheus ${server.url}: errorRate of all came several times, which cannot be put together`,
    ]);
  });

  it('refuse what cannot be', async () => {
    const queries = {
      errorRate: '100 * sum by (job) (rate(process_cpu_seconds_total[$window]))',
      rps: '-process_cpu_seconds_total',
    };
    const set = await read(server.url, { preset: 'otel', queries }, END_MS, ['pay']);
    expect(of(set, 'pay')).toMatchObject({ errorRate: null, rps: null, cpuCores: expect.any(Number) });
    expect(set.problems.filter((text) => text.endsWith('which it cannot be'))).toHaveLength(2);
  });

  it('name the field whose query is no good, and give the others', async () => {
    const set = await read(server.url, { preset: 'otel', queries: { p99Ms: 'rate(' } }, END_MS, ['shop']);
    expect(of(set, 'shop')?.rps).toBeCloseTo(4, 6);
    expect(of(set, 'shop')?.p99Ms).toBeNull();
    expect(set.problems).toHaveLength(1);
    expect(set.problems[0]).toMatch(/^p99Ms: prometheus .* cannot read the query: .*parse error/);
  });
});

describe('live signals from a server that fails', () => {
  const serve = async (respond: (query: string) => object, ask: (url: string) => Promise<void>): Promise<void> => {
    const server = http.createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => response.end(JSON.stringify(respond(new URLSearchParams(body).get('query') ?? ''))));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
    try {
      await ask(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    } finally {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  };

  it('are all unknown, for one reason told once', async () => {
    let address = '';
    await serve(
      () => ({}),
      async (url) => void (address = url),
    );
    const set = await read(address, { preset: 'istio' }, END_MS, ['shop']);
    expect(set.services).toEqual([{ service: 'shop', ...UNKNOWN_SIGNALS, ageSeconds: END_MS / 1000 }]);
    expect(set.problems).toHaveLength(1);
    expect(set.problems[0]).toMatch(/cannot be reached/);
  });

  it('are unknown where only a part could be read', async () => {
    const answer = (query: string): object => {
      const value = [END_MS / 1000, query.startsWith('max') ? String(END_MS / 1000) : '0.5'];
      const data = { resultType: 'vector', result: [{ metric: { destination_service_name: 'shop' }, value }] };
      return {
        status: 'success',
        data,
        ...(query.startsWith('sum by (destination') ? { warnings: ['store 2 is away'] } : {}),
      };
    };
    await serve(answer, async (url) => {
      const set = await read(url, { preset: 'istio' }, END_MS, ['shop']);
      expect(of(set, 'shop')).toMatchObject({ rps: null, errorRate: 0.5, ageSeconds: 0 });
      expect(set.problems).toEqual([`prometheus ${url}: rps rests on a part of the data only: store 2 is away`]);
    });
  });

  it('are none where the region names no source', async () => {
    const source = createSignalSource('/', { variable: () => undefined, now: () => 0 });
    expect(await source.read(shopRegion(), 0, 1000, new AbortController().signal)).toEqual({
      source: 'none',
      fromMs: 0,
      toMs: 1000,
      services: [],
      problems: [],
    });
  });

  it('throw only when they are told to stop', async () => {
    const signals = {
      prometheus: {
        url: 'http://127.0.0.1:9',
        timeoutSeconds: 5,
        preset: 'istio',
        minWindowSeconds: 60,
        maxAgeSeconds: 60,
      },
    } as const;
    const source = createSignalSource('/', { variable: () => undefined, now: () => 0 });
    await expect(source.read(shopRegion({ signals }), 0, 1000, AbortSignal.abort(new Error('stop')))).rejects.toThrow(
      'stop',
    );
  });
});
