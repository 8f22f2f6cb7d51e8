import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';

import type { LiveMesh } from '../../core/spec/live.js';
import type { RegionSpec } from '../../core/spec/region.js';
import { LB_POLICIES } from '../../core/spec/settings.js';
import { compareReadBack } from '../../mesh/envoy/readBack.js';
import { ADMIN_CLUSTERS_PATH, ADMIN_STATS_PATH, parseSnapshot } from '../../mesh/envoy/stats.js';
import { closeConnections, eventually, freePorts, get, startUpstream, tally } from '../fixtures/envoyProcess.js';
import type { Upstream } from '../fixtures/envoyProcess.js';
import { bring, dumpOf, envoyHost, healthyIn, liveOf, socket, startHost } from '../fixtures/proxiedRegion.js';
import type { Change, EnvoyHost } from '../fixtures/proxiedRegion.js';
import { neighbourSpec, serviceSpec, shopRegion } from '../fixtures/regionSpec.js';

/** Three instances here, two in zone a and one in zone b; a fourth is not planned; two neighbours. */
describe('requests through a real Envoy', () => {
  let edge: EnvoyHost;
  let region: RegionSpec;
  let local: Upstream[];
  let unplanned: Upstream;
  let neighbours: Upstream[];

  const live = (change: Change = {}): LiveMesh => {
    const both = { failover: ['south', 'east'], unplanned: [socket(unplanned.port)] };
    return liveOf(region, { front: { ...both, ...change } });
  };
  const ingress = (): number => edge.host.proxy.ingress.port;
  const all = (): Upstream[] => [...local, unplanned, ...neighbours];

  beforeAll(async () => {
    local = await Promise.all(['a-0', 'a-1', 'b-0'].map((name) => startUpstream(name)));
    unplanned = await startUpstream('unplanned');
    neighbours = await Promise.all(['south', 'east'].map((name) => startUpstream(name)));
    edge = await envoyHost('edge-1', await freePorts(3));
    const endpoints = local.map(({ port }, i) => ({ ...socket(port), zone: i < 2 ? 'north-a' : 'north-b' }));
    region = shopRegion({
      delivery: { tool: 'ansible', hostWaitSeconds: 1, hosts: [edge.host] },
      services: [serviceSpec({ name: 'front', entry: { pathPrefix: '/' }, endpoints, minInstances: 3 })],
      graph: {},
      neighbours: neighbours.map(({ name, port }, i) =>
        neighbourSpec({ name, gateway: socket(port), networkLatencyMs: 5 + i, spareRps: { front: 5000 } }),
      ),
    });
    await startHost(edge, live(), region);
    await healthyIn(edge, 'front', 5);
  }, 30_000);

  beforeEach(() => {
    for (const app of all()) {
      Object.assign(app.behaviour, { status: 200, delayMs: 0, healthy: true, failsPercent: 0 });
      app.peak = 0;
    }
  });

  afterAll(async () => {
    closeConnections();
    await edge.envoy.stop();
    await Promise.all(all().map((app) => app.stop()));
  });

  const PLENTY = { 'rateLimit.rps': 100_000, 'rateLimit.burst': 100_000 };

  it('are split as the weights say, and within the region by instances of a zone', async () => {
    const weights = { north: 60, south: 27, east: 13 };
    await bring(edge, live({ weights, settings: PLENTY }), region);
    const count = 10_000;
    const counts = await tally(ingress(), count, { parallel: 16 });
    const shares = { 'a-0': 0.2, 'a-1': 0.2, 'b-0': 0.2, south: 0.27, east: 0.13 };
    expect(Object.keys(counts).sort()).toEqual(Object.keys(shares).sort());
    const scores = Object.entries(shares).map(([name, p]) => {
      return ((counts[name] ?? 0) - count * p) / Math.sqrt(count * p * (1 - p));
    });
    for (const z of scores) expect(Math.abs(z)).toBeLessThanOrEqual(4);
    expect(unplanned.hosts).toEqual([]);
  }, 60_000);

  it('never reach endpoints that are only watched, whose health is counted apart', async () => {
    await bring(edge, live(), region);
    const counters = async () => {
      const paths = [ADMIN_STATS_PATH, ADMIN_CLUSTERS_PATH];
      const [stats, clusters] = await Promise.all(paths.map((path) => get(edge.host.proxy.admin.port, path)));
      return parseSnapshot('edge-1', 0, region, stats?.body ?? '', clusters?.body ?? '').services['front'];
    };
    await eventually('it is seen', async () => (await counters())?.healthyUnplanned === 1);
    expect((await counters())?.healthyByRegion).toEqual({ north: 3, south: 1, east: 1 });
    unplanned.behaviour.healthy = false;
    await eventually('its failure is seen', async () => (await counters())?.healthyUnplanned === 0);
    for (const app of [...local, ...neighbours]) app.behaviour.healthy = false;
    await healthyIn(edge, 'front', 0);
    unplanned.behaviour.healthy = true;
    await eventually('it is seen', async () => (await counters())?.healthyUnplanned === 1);
    expect(await tally(ingress(), 20)).toEqual({ '503': 20 });
    const dump = await dumpOf(edge.host);
    expect(compareReadBack(live({ unplanned: [] }), edge.host, dump)).toMatchObject([{ field: 'unplanned' }]);
    for (const app of all()) app.behaviour.healthy = true;
    await healthyIn(edge, 'front', 5);
  }, 60_000);

  it('go elsewhere only where the plan has proven that they can', async () => {
    for (const [failover, there] of [
      [['east'], 'east'],
      [[], '503'],
      [['south', 'east'], 'south'],
    ] as const) {
      await bring(edge, live({ failover }), region);
      for (const app of local) app.behaviour.healthy = false;
      const regions = failover.length;
      await healthyIn(edge, 'front', regions);
      expect(await tally(ingress(), 60)).toEqual({ [there]: 60 });
      for (const app of local) app.behaviour.healthy = true;
      await healthyIn(edge, 'front', 3 + regions);
      expect(Object.keys(await tally(ingress(), 60)).sort()).toEqual(['a-0', 'a-1', 'b-0']);
    }
  }, 60_000);

  it('are limited where planned: as many pass as the rate and its burst allow', async () => {
    await bring(edge, live({ settings: { 'rateLimit.rps': 200, 'rateLimit.burst': 100 } }), region);
    const started = performance.now();
    const counts = await tally(ingress(), 2000, { parallel: 16 });
    const seconds = (performance.now() - started) / 1000;
    const refused = counts['429'] ?? 0;
    // The bucket is full at first and is filled up to the burst once a second.
    expect(2000 - refused).toBeGreaterThanOrEqual(100);
    expect(2000 - refused).toBeLessThanOrEqual(100 + 200 * (seconds + 1));
    expect(Object.keys(counts).every((key) => key === '429' || key.includes('-'))).toBe(true);
  });

  it('are cut off by the breaker at its concurrency, and by nothing below it', async () => {
    const breaker = { 'breaker.maxRequests': 6, 'breaker.maxPendingRequests': 6, 'breaker.maxConnections': 12 };
    await bring(edge, live({ settings: { ...PLENTY, ...breaker } }), region);
    for (const app of local) app.behaviour.delayMs = 20;
    expect((await tally(ingress(), 120, { parallel: 6 }))['503']).toBeUndefined();
    const counts = await tally(ingress(), 600, { parallel: 24 });
    expect(counts['503']).toBeGreaterThan(100);
    expect(local.reduce((sum, app) => sum + app.peak, 0)).toBeLessThanOrEqual(3 * 6);
    expect(Math.max(...local.map((app) => app.peak))).toBeLessThanOrEqual(6);
  });

  it.each(LB_POLICIES)('are balanced by %s as planned', async (policy) => {
    const settings = { ...PLENTY, 'lb.policy': policy, 'lb.slowStartMs': 1500 };
    const affinity = { header: 'x-user' };
    const wanted = live({ settings, affinity });
    await bring(edge, wanted, region);
    const ofUser = async (user: string): Promise<number> => {
      const answers = await Promise.all(
        Array.from({ length: 30 }, () => get(ingress(), '/', undefined, { 'x-user': user })),
      );
      return new Set(answers.map(({ body }) => body)).size;
    };
    const sticks = policy === 'RING_HASH' || policy === 'MAGLEV';
    const places = await Promise.all(['ada', 'bob', 'eve', 'joe'].map(ofUser));
    if (sticks) expect(places).toEqual([1, 1, 1, 1]);
    else expect(Math.max(...places)).toBeGreaterThan(1);
    const others = live({ settings: { ...settings, 'lb.slowStartMs': 1000 }, affinity });
    const told = compareReadBack(others, edge.host, await dumpOf(edge.host)).map(({ field }) => field);
    expect(told).toEqual(policy === 'LEAST_REQUEST' || policy === 'ROUND_ROBIN' ? ['lb.slowStartMs'] : []);
  });

  it('of one user meet one instance by a cookie that is given to who has none', async () => {
    const wanted = live({ settings: { ...PLENTY, 'lb.policy': 'MAGLEV' }, affinity: { cookie: 'cart' } });
    await bring(edge, wanted, region);
    const first = await get(ingress(), '/');
    const [given = ''] = first.headers['set-cookie'] ?? [];
    expect(given).toMatch(/^cart="?\w+"?/);
    const cookie = given.split(';')[0] ?? '';
    const answers = await Promise.all(Array.from({ length: 30 }, () => get(ingress(), '/', undefined, { cookie })));
    expect(new Set(answers.map(({ body }) => body))).toEqual(new Set([first.body]));
  });
});
