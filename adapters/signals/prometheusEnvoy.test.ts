import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import type { ProxySnapshot, ServiceObservation } from '../../core/spec/observation.js';
import type { PrometheusPreset } from '../../core/spec/prometheus.js';
import type { RegionSpec } from '../../core/spec/region.js';
import type { ServiceSignals } from '../../core/spec/signals.js';
import { observe } from '../../core/tuning/observe.js';
import { ADMIN_CLUSTERS_PATH, ADMIN_STATS_PATH, parseSnapshot } from '../../mesh/envoy/stats.js';
import {
  closeConnections,
  eventually,
  freePorts,
  get,
  startUpstream,
  tally,
} from '../../test/fixtures/envoyProcess.js';
import type { Upstream } from '../../test/fixtures/envoyProcess.js';
import { envoyHost, healthyIn, liveOf, socket, startHost } from '../../test/fixtures/proxiedRegion.js';
import type { EnvoyHost } from '../../test/fixtures/proxiedRegion.js';
import { serviceSpec, shopRegion } from '../../test/fixtures/regionSpec.js';
import { startPrometheus } from '../../testbed/prometheus.js';
import type { RunningPrometheus } from '../../testbed/prometheus.js';
import { createSignalSource } from './source.js';

const SCRAPE_MS = 250;
/** Scrapes come late at times, and what is extended at both ends weighs a little more than its share. Whole milliseconds: Prometheus takes no others. */
const SCRAPES_EVERY_MS = 200;

/** One Envoy, read by ourselves and scraped by a real Prometheus. */
describe('live signals of a real Envoy', () => {
  let directory: string;
  let edge: EnvoyHost;
  let upstreams: Upstream[];
  let region: RegionSpec;
  let prometheus: RunningPrometheus;
  let observed: ServiceObservation;
  let window: { fromMs: number; toMs: number };

  const snapshot = async (): Promise<ProxySnapshot> => {
    const paths = [ADMIN_STATS_PATH, ADMIN_CLUSTERS_PATH];
    const [stats, clusters] = await Promise.all(paths.map((one) => get(edge.host.proxy.admin.port, one)));
    return parseSnapshot('edge-1', Date.now(), region, stats?.body ?? '', clusters?.body ?? '');
  };
  /** Statistics are flushed once a second, and then scraped. */
  const settle = (): Promise<void> => sleep(1000 + 3 * SCRAPE_MS);
  const traffic = async (count: number): Promise<void> => {
    await tally(edge.host.proxy.ingress.port, count, { parallel: 4 });
  };

  beforeAll(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'psmg-signals-'));
    upstreams = await Promise.all(['a', 'b'].map((name) => startUpstream(name)));
    for (const { behaviour } of upstreams) Object.assign(behaviour, { delayMs: 15, failsPercent: 20 });
    edge = await envoyHost('edge-1', await freePorts(3));
    const url = `http://127.0.0.1:${edge.host.proxy.admin.port}/stats/prometheus`;
    // Seconds pass before its first scrape.
    const scraping = startPrometheus({ directory, scrape: [{ job: 'envoy', url, intervalMs: SCRAPES_EVERY_MS }] });
    const endpoints = upstreams.map(({ port }) => socket(port));
    const services = [serviceSpec({ name: 'front', entry: { pathPrefix: '/' }, endpoints, minInstances: 2 })];
    const delivery = { tool: 'ansible', hostWaitSeconds: 1, hosts: [edge.host] } as const;
    region = shopRegion({ delivery, services, graph: {}, neighbours: [] });
    const limits = { 'rateLimit.rps': 100_000, 'rateLimit.burst': 100_000, 'retry.maxRetries': 0 };
    await startHost(edge, liveOf(region, { front: { settings: limits } }), region);
    await healthyIn(edge, 'front', 2);
    // A counter that is born within a window is worth nothing before its second sample.
    await traffic(40);
    prometheus = await scraping;
    await eventually('Prometheus scrapes', async () => {
      const answer = await fetch(`${prometheus.url}/api/v1/query?query=up`);
      return (await answer.text()).includes('"1"');
    });
    await settle();
    const before = await snapshot();
    await sleep(500);
    await traffic(400);
    await settle();
    const after = await snapshot();
    const seen = observe('north', ['edge-1'], [before], [after], new Date(after.at).toISOString());
    const front = seen.services.find((s) => s.service === 'front');
    if (front === undefined) throw new Error(seen.problems.join());
    observed = front;
    window = { fromMs: before.at, toMs: after.at };
  }, 60_000);

  afterAll(async () => {
    closeConnections();
    await prometheus.stop();
    await edge.envoy.stop();
    await Promise.all(upstreams.map((app) => app.stop()));
    await rm(directory, { recursive: true, force: true });
  });

  const read = async (preset: PrometheusPreset): Promise<ServiceSignals> => {
    const server = { url: prometheus.url, timeoutSeconds: 5, minWindowSeconds: 1, maxAgeSeconds: 5, preset };
    const source = createSignalSource('/', { variable: () => undefined, now: () => Date.now() });
    const spec = { ...region, signals: { prometheus: server } };
    const set = await source.read(spec, window.fromMs, window.toMs, new AbortController().signal);
    expect(set.problems).toEqual([]);
    const [front] = set.services;
    if (front === undefined) throw new Error('no service');
    return front;
  };

  it.each(['psmg', 'envoy'] as const)('equal our own reading, by the preset %s', async (preset) => {
    const front = await read(preset);
    expect(observed.requests).toBe(400);
    // Prometheus extends its first and last sample to the bounds of the window: at most a scrape at each.
    const slack = (2 * SCRAPE_MS) / (window.toMs - window.fromMs);
    expect((front.rps ?? 0) / observed.rps).toBeGreaterThan(1 - slack);
    expect((front.rps ?? 0) / observed.rps).toBeLessThan(1 + slack);
    expect(observed.errorRate).toBeGreaterThan(0.1);
    expect(front.errorRate).toBeCloseTo(observed.errorRate ?? NaN, 6);
    expect(front.readyInstances).toBe(observed.readyInstances);
    expect(front.ageSeconds).toBeLessThan(2);
    // Both within the bucket that Envoy's Prometheus page has there.
    for (const p50 of [front.p50Ms, observed.p50Ms]) {
      expect(p50).toBeGreaterThan(10);
      expect(p50).toBeLessThanOrEqual(25);
    }
    expect(front.p99Ms).toBeGreaterThan(front.p50Ms ?? NaN);
    // Whose process is whose no proxy tells.
    expect(front).toMatchObject({ cpuCores: null, memoryMiB: null });
  });
});
