import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { liveMesh } from '../../core/plan/live.js';
import { planHash } from '../../core/spec/hash.js';
import type { LiveMesh } from '../../core/spec/live.js';
import type { ProxySnapshot, ServiceCounters } from '../../core/spec/observation.js';
import type { HostSpec, RegionSpec } from '../../core/spec/region.js';
import type { SettingValue } from '../../core/spec/settings.js';
import { compareReadBack } from '../../mesh/envoy/readBack.js';
import { render } from '../../mesh/envoy/render.js';
import {
  ADMIN_CLUSTERS_PATH,
  ADMIN_CONFIG_DUMP_PATH,
  ADMIN_STATS_PATH,
  parseSnapshot,
} from '../../mesh/envoy/stats.js';
import {
  closeConnections,
  envoyFolder,
  eventually,
  freePorts,
  get,
  startUpstream,
  tally,
} from '../fixtures/envoyProcess.js';
import type { RunningEnvoy, Upstream } from '../fixtures/envoyProcess.js';
import { planOf } from '../fixtures/planned.js';
import { forecastOf, hostSpec, neighbourSpec, serviceSpec, shopRegion } from '../fixtures/regionSpec.js';

/**
 * What a real Envoy does with what is rendered. One proxy, two local instances, one neighbour; the tests follow each
 * other as a region's life does.
 */
describe('a real Envoy', () => {
  let envoy: RunningEnvoy;
  let south: Upstream;
  let local: Upstream[] = [];
  let ports: { ingress: number; mesh: number; admin: number; local: [number, number] };
  let region: RegionSpec;
  let host: HostSpec;

  const at = (localPercent: number, settings: Record<string, SettingValue> = {}, enforceLimits = false): LiveMesh => {
    const plan = planOf(region, forecastOf({ front: 200 }));
    const overrides = Object.entries(settings).map(([field, value]) => ({
      address: `front.${field}`,
      value,
      who: 'test',
      why: 'to see what happens',
    }));
    return liveMesh(region, plan, planHash(plan), {
      stage: { localPercent, enforceLimits },
      adjustments: [],
      overrides,
    });
  };

  const dump = async (): Promise<string> => (await get(ports.admin, ADMIN_CONFIG_DUMP_PATH)).body;

  const snapshot = async (): Promise<ProxySnapshot> => {
    const [stats, clusters] = await Promise.all([
      get(ports.admin, ADMIN_STATS_PATH),
      get(ports.admin, ADMIN_CLUSTERS_PATH),
    ]);
    return parseSnapshot('edge-1', 0, region, stats.body, clusters.body);
  };

  const counters = async (): Promise<ServiceCounters> => {
    // Histograms and counters reach the admin listener once a flush interval.
    await new Promise((resolve) => setTimeout(resolve, 1100));
    const found = (await snapshot()).services['front'];
    if (found === undefined) throw new Error('no counters of front');
    return found;
  };

  /** Moves the files and waits until the proxy says that it runs them. */
  const bring = async (live: LiveMesh): Promise<void> => {
    await envoy.move(render(live, region, host));
    await eventually('Envoy runs what was moved', async () => compareReadBack(live, host, await dump()).length === 0);
  };

  const healthy = async (name: string, count: number): Promise<void> => {
    await eventually(`${count} healthy in ${name}`, async () => {
      return (await snapshot()).services['front']?.healthyByRegion[name] === count;
    });
    // The balancer hears of it a merge window later than the admin listener.
    await new Promise((resolve) => setTimeout(resolve, 150));
  };

  beforeAll(async () => {
    const [ingress = 0, mesh = 0, admin = 0, one = 0, two = 0] = await freePorts(5);
    ports = { ingress, mesh, admin, local: [one, two] };
    envoy = await envoyFolder();
    south = await startUpstream('south');
    const socket = (port: number) => ({ address: '127.0.0.1', port });
    const sockets = { ingress: socket(ingress), mesh: socket(mesh), admin: socket(admin) };
    const proxy = { binary: '/usr/bin/envoy', manager: 'process', ...sockets } as const;
    host = hostSpec({ name: 'edge-1', directory: envoy.directory, proxy });
    region = shopRegion({
      delivery: { tool: 'ansible', hostWaitSeconds: 1, hosts: [host] },
      services: [
        serviceSpec({
          name: 'front',
          entry: { pathPrefix: '/' },
          endpoints: ports.local.map(socket),
          minInstances: 2,
        }),
      ],
      graph: {},
      neighbours: [neighbourSpec({ gateway: socket(south.port), spareRps: { front: 5000 } })],
    });
    await envoy.move(render(at(0), region, host));
    await envoy.start(admin);
  });

  afterAll(async () => {
    closeConnections();
    await envoy.stop();
    await Promise.all([south, ...local].map((upstream) => upstream.stop()));
  });

  const startLocal = async (): Promise<void> => {
    local = await Promise.all(ports.local.map((port, i) => startUpstream(`north-${i}`, port)));
  };

  it('sends all to the neighbour while nothing local is up, by the name of the service', async () => {
    expect(await tally(ports.ingress, 100)).toEqual({ south: 100 });
    expect(await tally(ports.mesh, 20, { host: 'front:8080' })).toEqual({ south: 20 });
    expect(new Set(south.hosts)).toEqual(new Set(['front']));
    expect((await get(ports.mesh, '/', 'nobody')).status).toBe(404);
  });

  it('keeps sending nothing here at weight 0, and splits by weight after', async () => {
    await startLocal();
    await healthy('north', 2);
    expect(await tally(ports.ingress, 100)).toEqual({ south: 100 });
    await bring(at(30));
    const split = await tally(ports.ingress, 400);
    expect(split['south']).toBeGreaterThan(270);
    expect(split['south']).toBeLessThan(290);
    expect(Object.keys(split).sort()).toEqual(['north-0', 'north-1', 'south']);
    await bring(at(100));
    expect((await tally(ports.ingress, 100))['south']).toBeUndefined();
  });

  it('loses no request and sends none astray while weights, limits and breakers change under load', async () => {
    const before = await counters();
    let going = true;
    const answers: Record<string, number> = {};
    const load = Array.from({ length: 4 }, async () => {
      while (going) {
        const { status, body } = await get(ports.ingress, '/');
        const key = status === 200 ? 'ok' : `${status} ${body}`;
        answers[key] = (answers[key] ?? 0) + 1;
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
    });
    for (const percent of [0, 10, 50, 100, 30, 0, 100]) {
      await bring(at(percent, { 'timeout.connectMs': 200 + percent, 'rateLimit.rps': 5000 + percent }));
    }
    going = false;
    await Promise.all(load);
    expect(Object.keys(answers)).toEqual(['ok']);
    // The cluster was replaced at every step: counters that belonged to it would have begun anew.
    const after = await counters();
    expect(after.offered - before.offered).toBe(answers['ok']);
    expect(after.responses2xx - before.responses2xx).toBe(answers['ok']);
  });

  it('runs what the plan says, field by field; a dump that was changed by hand is named by its field', async () => {
    const live = at(30, { 'breaker.maxRequests': 77, 'rateLimit.rps': 333.3, 'retry.maxPerRequest': 0 }, true);
    await bring(live);
    const text = await dump();
    expect(compareReadBack(live, host, text)).toEqual([]);
    const swapped = (from: string, to: string) => {
      expect(text).toContain(from);
      return compareReadBack(live, host, text.replaceAll(from, to)).map((m) => [m.field, m.expected, m.actual]);
    };
    expect(swapped('"max_requests": 77', '"max_requests": 78')).toEqual([['breaker.maxRequests', 77, 78]]);
    expect(swapped('"timeout": "1.020s"', '"timeout": "2s"')).toEqual([['timeout.requestMs', 1020, 2000]]);
    expect(swapped('"load_balancing_weight": 70', '"load_balancing_weight": 120')).toEqual([
      ['weight.north', 30, 20],
      ['weight.south', 70, 80],
    ]);
    expect(swapped('"lb_policy": "LEAST_REQUEST"', '"lb_policy": "RANDOM"')).toEqual([
      ['lb.policy', 'LEAST_REQUEST', 'RANDOM'],
    ]);
    expect(swapped(String(ports.local[0]), '1')).toMatchObject([['endpoints', expect.anything(), expect.anything()]]);
    expect(swapped('"name": "front"', '"name": "other"').map(([field]) => field)).toContain('service');
    const [only] = live.services;
    if (only === undefined) throw new Error('no service');
    for (const [field, value] of Object.entries(only.settings)) {
      // No instance here is behind a proxy of its own; test/mesh/inbound.test.ts has some.
      if (field.startsWith('inbound.')) continue;
      const other = typeof value === 'number' ? value + 1 : 'ROUND_ROBIN';
      const wanted = { ...live, services: [{ ...only, settings: { ...only.settings, [field]: other } }] };
      expect(compareReadBack(wanted, host, text)).toMatchObject([
        {
          host: 'edge-1',
          service: 'front',
          field,
          actual: typeof value === 'number' ? expect.closeTo(value) : value,
        },
      ]);
    }
  });

  it('gives the share of unhealthy local instances to the neighbour', async () => {
    await bring(at(100));
    for (const instance of local) instance.behaviour.healthy = false;
    await healthy('north', 0);
    expect(await tally(ports.ingress, 100)).toEqual({ south: 100 });
    for (const instance of local) instance.behaviour.healthy = true;
    await healthy('north', 2);
    expect((await tally(ports.ingress, 100))['south']).toBeUndefined();
  });

  it('answers every request when all local instances die at once', async () => {
    await Promise.all(local.map((instance) => instance.stop()));
    expect(await tally(ports.ingress, 200)).toEqual({ south: 200 });
    await startLocal();
    await healthy('north', 2);
  });

  it('counts what it only would refuse, refuses once limits are enforced, and counts each request once', async () => {
    const limits = { 'rateLimit.rps': 5, 'rateLimit.burst': 10 };
    await bring(at(100, limits, false));
    const before = await counters();
    expect((await tally(ports.ingress, 40))['429']).toBeUndefined();
    const observed = await counters();
    expect(observed.offered - before.offered).toBe(40);
    expect(observed.rateLimitWould - before.rateLimitWould).toBeGreaterThanOrEqual(20);
    expect(observed.rateLimited - before.rateLimited).toBe(0);
    await bring(at(100, limits, true));
    const refused = (await tally(ports.ingress, 40))['429'] ?? 0;
    expect(refused).toBeGreaterThanOrEqual(20);
    const enforced = await counters();
    expect(enforced.offered - observed.offered).toBe(40);
    expect(enforced.rateLimited - observed.rateLimited).toBe(refused);
    expect(enforced.responses4xx - observed.responses4xx).toBe(refused);
    expect(enforced.responses2xx - observed.responses2xx).toBe(40 - refused);
  });

  it('opens the breaker beyond its concurrency', async () => {
    for (const instance of local) instance.behaviour.delayMs = 40;
    await bring(at(100, { 'breaker.maxRequests': 2 }));
    const before = await counters();
    const refused = (await tally(ports.ingress, 48, { parallel: 12 }))['503'] ?? 0;
    expect(refused).toBeGreaterThan(10);
    const after = await counters();
    expect(after.breakerOverflow - before.breakerOverflow).toBe(refused);
    expect(after.responses5xx - before.responses5xx).toBe(refused);
    for (const instance of local) instance.behaviour.delayMs = 0;
  });

  it('tells time-outs, failures and latency apart, by region', async () => {
    await bring(at(100, { 'timeout.requestMs': 400 }));
    const before = await counters();
    for (const instance of local) instance.behaviour.delayMs = 50;
    expect((await tally(ports.ingress, 20, { parallel: 2 }))['503']).toBeUndefined();
    for (const instance of local) instance.behaviour.delayMs = 1500;
    expect(await tally(ports.ingress, 4, { parallel: 4 })).toEqual({ '504': 4 });
    const after = await counters();
    expect(after.timeouts - before.timeouts).toBe(4);
    expect(after.responses5xx - before.responses5xx).toBe(4);
    expect((after.requestsByRegion['north'] ?? 0) - (before.requestsByRegion['north'] ?? 0)).toBe(20);
    expect(after.requestsByRegion['south']).toBe(before.requestsByRegion['south']);
    const latencies = (counted: ServiceCounters, fromMs: number, toMs: number): number =>
      counted.latencyBuckets
        .filter((bucket) => bucket.lowMs >= fromMs && bucket.highMs <= toMs)
        .reduce((sum, bucket) => sum + bucket.count, 0);
    const between = (fromMs: number, toMs: number): number =>
      latencies(after, fromMs, toMs) - latencies(before, fromMs, toMs);
    expect(between(40, 350)).toBe(20);
    expect(between(350, 1400)).toBe(4);
    expect(between(0, Infinity)).toBe(24);
    expect(after.active).toBe(0);
  });
});
