import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import type { LiveMesh, LiveService } from '../../core/spec/live.js';
import type { RegionSpec } from '../../core/spec/region.js';
import type { ServiceSettings } from '../../core/spec/settings.js';
import { checkIstio } from '../../mesh/istio/check.js';
import { lintIstio } from '../../mesh/istio/lint.js';
import { compareIstioReadBack } from '../../mesh/istio/readBack.js';
import { renderIstio } from '../../mesh/istio/render.js';
import { startIstioProxy } from '../../testbed/istioProxy.js';
import type { RunningIstioProxy } from '../../testbed/istioProxy.js';
import { startIstiod } from '../../testbed/istiod.js';
import type { FileIstiod } from '../../testbed/istiod.js';
import { freePort } from '../../testbed/ports.js';
import { closeConnections, eventually, startUpstream, tally } from '../fixtures/envoyProcess.js';
import type { Upstream } from '../fixtures/envoyProcess.js';
import { readIstioFixture } from '../fixtures/istio.js';

/** A stock Envoy cannot ask for the certificates that a callee's listeners wait for otherwise. */
const WITHOUT_MTLS = `apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: default, namespace: istio-system}
spec: {mtls: {mode: DISABLE}}
`;

type Change = Omit<Partial<LiveService>, 'settings'> & { settings?: Partial<ServiceSettings> };

/** A mesh with the same change of every service, or with one of each by name. */
function changed(live: LiveMesh, all: Change, byName: Readonly<Record<string, Change>> = {}): LiveMesh {
  return {
    ...live,
    services: live.services.map((service) => {
      const own = { ...all, ...byName[service.service] };
      return { ...service, ...own, settings: { ...service.settings, ...own.settings } };
    }),
  };
}

/** What stock Envoys run that a real istiod drives from the rendered files: the edge, and the proxy of one `cart`. */
describe('a real istiod', () => {
  const calls = readIstioFixture('calls') as Record<string, Record<string, number>>;
  const options = { calls, gatewayLabels: { app: 'edge' } };
  const shared = readIstioFixture('shared.live') as LiveMesh;
  const failover = readIstioFixture('failover.live') as LiveMesh;
  const dir = mkdtempSync(path.join(tmpdir(), 'psmg-istio-'));
  let region: RegionSpec;
  let istiod: FileIstiod;
  let proxies: RunningIstioProxy[] = [];

  beforeAll(async () => {
    const fixture = readIstioFixture('region') as RegionSpec;
    const ingress = { address: '127.0.0.1', port: await freePort() };
    const hosts = fixture.delivery.hosts.map((host) => ({ ...host, proxy: { ...host.proxy, ingress } }));
    region = { ...fixture, delivery: { ...fixture.delivery, hosts } };
    const files = { 'mtls.yaml': WITHOUT_MTLS, ...renderIstio(shared, region, options) };
    istiod = await startIstiod({ dir: path.join(dir, 'istiod'), files });
    const common = { xds: istiod.xds, locality: { region: 'north', zone: 'north-a' } };
    const cart = shared.services.find(({ service }) => service === 'cart')?.endpoints[0]?.address ?? '';
    proxies = [
      await startIstioProxy({
        ...common,
        dir: path.join(dir, 'edge'),
        role: 'router',
        app: 'edge',
        address: '127.0.0.9',
      }),
      await startIstioProxy({ ...common, dir: path.join(dir, 'cart'), role: 'sidecar', app: 'cart', address: cart }),
    ];
  }, 60_000);

  afterAll(async () => {
    await Promise.all(proxies.map((proxy) => proxy.stop()));
    await istiod.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  it.each<[string, LiveMesh]>([
    ['requests shared by two regions', shared],
    ['all in one, others standing by', failover],
    ['nothing here yet', changed(shared, { weights: { north: 0, south: 100, east: 0 } })],
    [
      'three regions',
      changed(
        shared,
        {},
        {
          front: { weights: { north: 10, south: 60, east: 30 } },
          cart: { weights: { north: 0, south: 55, east: 45 } },
          stock: { weights: { north: 1, south: 98, east: 1 } },
        },
      ),
    ],
    [
      'another order of who stands by',
      changed(
        failover,
        {},
        { front: { failover: ['east'] }, cart: { failover: [] }, stock: { failover: ['east', 'south'] } },
      ),
    ],
    ['limits that only count', changed(failover, { settings: { 'rateLimit.enforcedPercent': 0 } })],
    ['nothing repeated', changed(failover, { settings: { 'retry.maxPerRequest': 0 } })],
    [
      'zeros',
      changed(failover, {
        settings: { 'outlier.maxEjectionPercent': 0, 'retry.minConcurrency': 0, 'retry.budgetPercent': 0 },
      }),
    ],
    ['slow start', changed(shared, { settings: { 'lb.policy': 'ROUND_ROBIN', 'lb.slowStartMs': 30_500 } })],
    [
      'affinity',
      changed(
        shared,
        { settings: { 'lb.policy': 'MAGLEV' } },
        { front: { affinity: { cookie: 'sid' }, settings: { 'lb.policy': 'RING_HASH' } } },
      ),
    ],
    [
      'paths within paths',
      changed(failover, {}, { cart: { entryPathPrefix: '/cart' }, stock: { entryPathPrefix: '/cart/x' } }),
    ],
    [
      'other protocols',
      changed(
        failover,
        {},
        { front: { protocol: 'websocket' }, cart: { protocol: 'grpc' }, stock: { protocol: 'http2' } },
      ),
    ],
    ['names to be resolved', changed(shared, {}, { stock: { endpoints: [{ address: 'localhost', port: 9300 }] } })],
    ['bytes', changed(shared, {}, { stock: { protocol: 'tcp' } })],
    [
      'numbers that are not round',
      changed(failover, {
        settings: {
          'rateLimit.rps': 7.3,
          'rateLimit.burst': 3,
          'inbound.retryRps': 0.3,
          'timeout.requestMs': 1,
          'outlier.intervalMs': 133,
          'rateLimit.enforcedPercent': 37,
        },
      }),
    ],
  ])(
    'runs as written: %s',
    async (_, live) => {
      const files = renderIstio(live, region, options);
      expect([...checkIstio(files), ...lintIstio(files)]).toEqual([]);
      istiod.put(files);
      const left = async (): Promise<unknown[]> => {
        const dumps = await Promise.all(proxies.map((proxy) => proxy.configDump()));
        return dumps.flatMap((dump) => compareIstioReadBack(live, region, dump, options));
      };
      await eventually('proxies run what was written', async () => (await left()).length === 0).catch(() => undefined);
      expect(await left()).toEqual([]);
    },
    30_000,
  );

  describe('with requests', () => {
    let north: Upstream;
    let south: Upstream;
    let here: RegionSpec;

    const port = (): number => here.delivery.hosts[0]?.proxy.ingress.port ?? 0;
    const bring = async (live: LiveMesh, front: Change): Promise<void> => {
      const endpoints = [{ address: '127.0.0.1', port: north.port }];
      const wanted = changed(live, {}, { front: { ...front, endpoints } });
      istiod.put(renderIstio(wanted, here, options));
      await eventually('the edge runs what was written', async () => {
        const dump = (await proxies[0]?.configDump()) ?? '';
        return compareIstioReadBack(wanted, here, dump, options).length === 0;
      });
      // The balancer takes new weights a little later than the admin listener tells them.
      await new Promise((resolve) => setTimeout(resolve, 300));
    };
    const plenty = { 'rateLimit.rps': 100_000, 'rateLimit.burst': 100_000 };

    beforeAll(async () => {
      north = await startUpstream('north');
      south = await startUpstream('south');
      const gateway = { address: '127.0.0.1', port: south.port };
      const neighbours = region.neighbours.map((one) => (one.name === 'south' ? { ...one, gateway } : one));
      here = { ...region, neighbours };
    });

    afterAll(async () => {
      closeConnections();
      await Promise.all([north.stop(), south.stop()]);
    });

    it('splits them by weight, and asks by the name of the service', async () => {
      await bring(shared, { settings: plenty, weights: { north: 60, south: 40, east: 0 } });
      const split = await tally(port(), 1000);
      expect(Object.keys(split).sort()).toEqual(['north', 'south']);
      expect(split['north']).toBeGreaterThan(570);
      expect(split['north']).toBeLessThan(630);
      expect(new Set(south.hosts)).toEqual(new Set(['front']));
    });

    it('refuses what is above the rate', async () => {
      await bring(failover, { settings: { 'rateLimit.rps': 0.5, 'rateLimit.burst': 20 } });
      const answers = await tally(port(), 60);
      expect(answers['north']).toBeGreaterThanOrEqual(20);
      expect(answers['north']).toBeLessThanOrEqual(25);
      expect(answers['429']).toBe(60 - (answers['north'] ?? 0));
    });

    it('loses none to a region that is down while its neighbour stands by', async () => {
      await bring(failover, { settings: plenty });
      expect(await tally(port(), 100, { parallel: 1 })).toEqual({ north: 100 });
      await north.stop();
      expect(await tally(port(), 200, { parallel: 1 })).toEqual({ south: 200 });
    });
  });
});
