import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';

import type { LiveMesh } from '../../core/spec/live.js';
import type { RegionSpec } from '../../core/spec/region.js';
import type { ServiceSettings } from '../../core/spec/settings.js';
import { compareReadBack } from '../../mesh/envoy/readBack.js';
import { ADMIN_CLUSTERS_PATH } from '../../mesh/envoy/stats.js';
import { runningServices } from '../capability/envoyDump.js';
import { closeConnections, freePorts, get, startUpstream, tally } from '../fixtures/envoyProcess.js';
import type { Upstream } from '../fixtures/envoyProcess.js';
import { bring, dumpOf, envoyHost, healthyIn, liveOf, socket, startHost, statOf } from '../fixtures/proxiedRegion.js';
import type { EnvoyHost } from '../fixtures/proxiedRegion.js';
import { serviceSpec, shopRegion } from '../fixtures/regionSpec.js';

/** Two instances of `front`, each called only through its own door in the host's Envoy. */
describe('a proxy in front of an instance', () => {
  let edge: EnvoyHost;
  let region: RegionSpec;
  let apps: Upstream[];
  let doors: number[];

  const live = (settings: Partial<ServiceSettings> = {}): LiveMesh => liveOf(region, { front: { settings } });
  const ingress = (): number => edge.host.proxy.ingress.port;
  const first = (): number => doors[0] ?? 0;
  const repeated = { 'x-envoy-attempt-count': '2' };

  beforeAll(async () => {
    apps = await Promise.all(['one', 'two'].map((name) => startUpstream(name)));
    const ports = await freePorts(5);
    doors = ports.slice(3, 5);
    const inbound = apps.map((app, i) => ({
      service: 'front',
      socket: socket(doors[i] ?? 0),
      app: socket(app.port),
    }));
    edge = await envoyHost('edge-1', ports, inbound);
    region = shopRegion({
      delivery: { tool: 'ansible', hostWaitSeconds: 1, hosts: [edge.host] },
      services: [
        serviceSpec({ name: 'front', entry: { pathPrefix: '/' }, endpoints: doors.map(socket), minInstances: 2 }),
      ],
      graph: {},
      neighbours: [],
    });
    await startHost(edge, live(), region);
    await healthyIn(edge, 'front', 2);
  }, 30_000);

  beforeEach(() => {
    for (const app of apps) {
      Object.assign(app.behaviour, { status: 200, delayMs: 0, healthy: true, failsPercent: 0 });
      app.peak = 0;
      app.hosts.length = 0;
    }
  });

  afterAll(async () => {
    closeConnections();
    await edge.envoy.stop();
    await Promise.all(apps.map((app) => app.stop()));
  });

  it('hands on what fits and refuses the rest at once, as overload; health is answered all the while', async () => {
    await bring(edge, live({ 'inbound.maxRequests': 3 }), region);
    for (const app of apps) app.behaviour.delayMs = 600;
    const answers = Promise.all(Array.from({ length: 20 }, () => get(first(), '/')));
    await new Promise((resolve) => setTimeout(resolve, 200));
    const health = await Promise.all(Array.from({ length: 10 }, () => get(first(), '/healthz')));
    expect(health.map(({ status }) => status)).toEqual(Array(10).fill(200));
    const refused = (await answers).filter(({ status }) => status !== 200);
    expect(refused).toHaveLength(17);
    for (const { status, headers } of refused) expect([status, headers['x-envoy-overloaded']]).toEqual([503, 'true']);
    expect(apps.map((app) => app.peak)).toEqual([3, 0]);
  });

  it('is neither asked again nor taken out of rotation for refusing what is too much', async () => {
    const settings = { 'inbound.maxRequests': 1, 'outlier.consecutive5xx': 2, 'retry.maxPerRequest': 1 };
    await bring(edge, live(settings), region);
    for (const app of apps) app.behaviour.delayMs = 30;
    const retries = await statOf(edge.host, 'cluster.front.upstream_rq_retry');
    const counts = await tally(ingress(), 200, { parallel: 20 });
    expect(counts['503']).toBeGreaterThan(100);
    expect(await statOf(edge.host, 'cluster.front.upstream_rq_retry')).toBe(retries);
    expect(await statOf(edge.host, 'cluster.front.outlier_detection.ejections_enforced_total')).toBe(0);
    expect(apps.map((app) => app.peak)).toEqual([1, 1]);
  });

  it('takes an instance out of rotation that fails by itself', async () => {
    await bring(edge, live({ 'outlier.consecutive5xx': 3, 'outlier.baseEjectionMs': 200 }), region);
    Object.assign(apps[0]?.behaviour ?? {}, { status: 500 });
    const counts = await tally(ingress(), 60, { parallel: 1 });
    expect(counts['500']).toBeGreaterThanOrEqual(3);
    expect(counts['500']).toBeLessThan(30);
    expect(await statOf(edge.host, 'cluster.front.outlier_detection.ejections_enforced_total')).toBeGreaterThan(0);
    Object.assign(apps[0]?.behaviour ?? {}, { status: 200 });
    await healthyIn(edge, 'front', 2);
  });

  it('takes only so many repeated requests, and every first one', async () => {
    await bring(edge, live({ 'inbound.retryRps': 0.5 }), region);
    const again = await Promise.all(Array.from({ length: 10 }, () => get(first(), '/', 'front', repeated)));
    const refused = again.filter(({ status }) => status === 503);
    expect(refused.length).toBeGreaterThanOrEqual(8);
    expect(refused.length).toBeLessThanOrEqual(9);
    for (const { headers } of refused) expect(headers['x-envoy-overloaded']).toBe('true');
    expect(await tally(first(), 30)).toEqual({ one: 30 });
    const counted = { 'x-envoy-attempt-count': '1' };
    const firsts = await Promise.all(Array.from({ length: 10 }, () => get(first(), '/', 'front', counted)));
    expect(firsts.map(({ status }) => status)).toEqual(Array(10).fill(200));
  });

  it('goes by what proxies count, not by what whoever calls says of it or asks for', async () => {
    await bring(edge, live({ 'inbound.retryRps': 0.01 }), region);
    const asked = { ...repeated, 'x-envoy-retry-on': '5xx', 'x-envoy-max-retries': '9' };
    const ask = (port: number) => Promise.all(Array.from({ length: 10 }, () => get(port, '/', 'front', asked)));
    expect((await ask(ingress())).map(({ status }) => status)).toEqual(Array(10).fill(200));
    expect((await ask(edge.host.proxy.mesh.port)).map(({ status }) => status)).toEqual(Array(10).fill(200));
    for (const app of apps) app.hosts.length = 0;
    for (const app of apps) app.behaviour.status = 503;
    await ask(ingress());
    expect(apps.reduce((sum, app) => sum + app.hosts.length, 0)).toBe(10);
  });

  it('lets callers go elsewhere when its instance takes no connection, and the mark goes no further', async () => {
    // Found out by health only long after.
    const settings = { 'health.intervalMs': 60_000, 'inbound.retryRps': 1000, 'retry.minConcurrency': 10 };
    await bring(edge, live(settings), region);
    await healthyIn(edge, 'front', 2);
    await apps[0]?.stop();
    const direct = await get(first(), '/');
    expect([direct.status, direct.headers['x-psmg-repeat']]).toEqual([503, '503']);
    expect(await tally(ingress(), 100)).toEqual({ two: 100 });
    await apps[1]?.stop();
    const { status, headers } = await get(ingress(), '/');
    expect([status, headers['x-psmg-repeat']]).toEqual([503, undefined]);
    apps = await Promise.all(apps.map((app) => startUpstream(app.name, app.port)));
  });

  it('is told apart field by field when it runs otherwise than planned', async () => {
    const wanted = live({ 'inbound.maxRequests': 7, 'inbound.retryRps': 2.5 });
    await bring(edge, wanted, region);
    const dump = await dumpOf(edge.host);
    expect(compareReadBack(wanted, edge.host, dump)).toEqual([]);
    const others = live({ 'inbound.maxRequests': 8, 'inbound.retryRps': 2 });
    expect(compareReadBack(others, edge.host, dump).map((m) => [m.field, m.expected, m.actual])).toEqual([
      ['inbound.maxRequests', 8, 7],
      ['inbound.retryRps', 2, 2.5],
    ]);
    const { body: clusters } = await get(edge.host.proxy.admin.port, ADMIN_CLUSTERS_PATH);
    expect(runningServices(dump, clusters)['front']?.inbound[`inbound_front_${first()}`]).toEqual({
      listensAt: `127.0.0.1:${first()}`,
      app: `127.0.0.1:${apps[0]?.port}`,
      maxRequests: 7,
      retryRps: 2.5,
    });
    const elsewhere = dump.replaceAll(`"port_value": ${apps[0]?.port}`, '"port_value": 1');
    expect(compareReadBack(wanted, edge.host, elsewhere)).toMatchObject([{ field: `inbound_front_${first()}` }]);
  });
});
