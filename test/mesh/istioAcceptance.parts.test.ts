import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { liveMesh } from '../../core/plan/live.js';
import { planHash } from '../../core/spec/hash.js';
import type { LiveMesh } from '../../core/spec/live.js';
import type { MeshPlan } from '../../core/spec/plan.js';
import type { RegionSpec } from '../../core/spec/region.js';
import type { ServiceSettings, SettingField, SettingValue } from '../../core/spec/settings.js';
import { compareReadBack } from '../../mesh/envoy/readBack.js';
import { inboundName } from '../../mesh/envoy/names.js';
import { readRunning } from '../../mesh/envoy/running.js';
import type { RunningTerms } from '../../mesh/envoy/running.js';
import { readIstioDump } from '../../mesh/istio/dump.js';
import { placeOf } from '../../mesh/istio/names.js';
import type { IstioOptions } from '../../mesh/istio/names.js';
import { ISTIO_PROJECTION } from '../../mesh/istio/projection.js';
import type { IstioSeat } from '../../mesh/istio/projection.js';
import { compareIstioReadBack } from '../../mesh/istio/readBack.js';
import { renderIstio } from '../../mesh/istio/render.js';
import { startIstioProxy } from '../../testbed/istioProxy.js';
import type { RunningIstioProxy } from '../../testbed/istioProxy.js';
import { freePortRange } from '../../testbed/ports.js';
import { closeConnections, eventually } from '../fixtures/envoyProcess.js';
import { errorsByIstioctl, refusedByIstioctl } from '../fixtures/istioctl.js';
import { driveByFiles, driveByKubernetes } from '../fixtures/istioDrivers.js';
import type { IstioDriver } from '../fixtures/istioDrivers.js';
import { planOf } from '../fixtures/planned.js';
import { bring, dumpOf, envoyHost, startHost } from '../fixtures/proxiedRegion.js';
import type { EnvoyHost } from '../fixtures/proxiedRegion.js';
import { forecastOf, neighbourSpec, shopRegion } from '../fixtures/regionSpec.js';

/** What real proxies run for one service, as far as all ways of running a plan can say it. */
interface Observed {
  settings: Partial<ServiceSettings>;
  /** Percent by region that gets any. */
  weights: Record<string, number>;
  endpoints: Record<string, readonly string[]>;
}

/** The proxy at the edge; beside an instance of `cart` towards `stock`, which it calls, and for its own instance. */
interface Sight {
  edge: Record<string, Observed>;
  caller: Observed;
  callee: Partial<ServiceSettings>;
}

/** How the edges, one for each way, and the sidecars are told of the region. */
interface Way {
  driver: IstioDriver;
  region: RegionSpec;
  edge: RunningIstioProxy;
  cart: RunningIstioProxy;
}

const SERVICES = ['front', 'cart', 'stock'];
const CART_PORT = 9200;

/**
 * One plan, run by an Envoy of ours from rendered files, and by stock Envoys that istiod drives from rendered files and
 * from an API server: what is observed in the proxies is the same.
 */
describe('one plan in real proxies', () => {
  const dir = mkdtempSync(path.join(tmpdir(), 'psmg-acceptance-'));
  let own: EnvoyHost;
  let region: RegionSpec;
  let plan: MeshPlan;
  let options: IstioOptions;
  const ways = new Map<string, Way>();

  beforeAll(async () => {
    const [first, drivers] = await Promise.all([
      freePortRange(6),
      Promise.all([driveByFiles(path.join(dir, 'files')), driveByKubernetes(path.join(dir, 'kubernetes'))]),
    ]);
    const door = { service: 'cart', socket: { address: '127.0.2.1', port: CART_PORT } };
    own = await envoyHost(
      'edge-1',
      [first, first + 1, first + 2],
      [{ ...door, app: { address: '127.0.2.1', port: first + 3 } }],
    );
    region = zonedRegion(own);
    plan = planOf(region, forecastOf({ front: 200 }));
    const services = plan.windows[0]?.services ?? [];
    const calls = Object.fromEntries(services.map((one) => [one.service, one.calls ?? {}]));
    options = { calls, gatewayLabels: { app: 'edge' } };
    await startHost(own, at({ localPercent: 60 }), region);
    for (const [i, name] of ['files', 'API server'].entries()) {
      const driver = drivers[i];
      if (driver === undefined) throw new Error('no driver');
      ways.set(name, await startWay(path.join(dir, `way-${i}`), driver, first + 4 + i));
    }
  }, 180_000);

  afterAll(async () => {
    closeConnections();
    for (const { edge, cart, driver } of ways.values()) {
      await Promise.all([edge.stop(), cart.stop()]);
      await driver.stop();
    }
    await own.envoy.stop();
    rmSync(dir, { recursive: true, force: true });
  }, 60_000);

  async function startWay(folder: string, driver: IstioDriver, ingressPort: number): Promise<Way> {
    const ingress = { address: '127.0.0.1', port: ingressPort };
    const hosts = region.delivery.hosts.map((host) => ({ ...host, proxy: { ...host.proxy, ingress } }));
    const here = { ...region, delivery: { ...region.delivery, hosts } };
    await driver.apply(renderIstio(at({ localPercent: 60 }), here, options));
    const common = { xds: driver.xds, locality: { region: 'north', zone: 'north-a' } };
    const edge = await startIstioProxy({
      ...common,
      dir: path.join(folder, 'edge'),
      role: 'router',
      app: 'edge',
      address: '127.0.0.9',
    });
    const cart = await startIstioProxy({
      ...common,
      dir: path.join(folder, 'cart'),
      role: 'sidecar',
      app: 'cart',
      address: '127.0.2.1',
    });
    return { driver, region: here, edge, cart };
  }

  function at(change: { localPercent: number; overrides?: Readonly<Record<string, SettingValue>> }): LiveMesh {
    const overrides = Object.entries(change.overrides ?? {}).map(([address, value]) => ({
      address,
      value,
      who: 'test',
      why: 'to see it everywhere',
    }));
    return liveMesh(region, plan, planHash(plan), {
      stage: { localPercent: change.localPercent, enforceLimits: true },
      adjustments: [],
      overrides,
    });
  }

  async function ownSight(): Promise<Sight> {
    const running = readRunning(await dumpOf(own.host));
    const door = own.host.proxy.inbound?.[0];
    const terms = (name: string): { ingress?: RunningTerms; mesh: RunningTerms } => {
      const found = running.services[name];
      if (found === undefined) throw new Error(`our Envoy has no ${name}`);
      return found;
    };
    return {
      edge: Object.fromEntries(SERVICES.map((name) => [name, atEdge(terms(name).ingress ?? terms(name).mesh)])),
      caller: observed(terms('stock').mesh, ['caller', 'route']),
      callee: chosen(running.inbound[door === undefined ? '' : inboundName(door)]?.settings ?? {}, ['callee']),
    };
  }

  async function sightOf(way: Way): Promise<Sight> {
    const read = async (proxy: RunningIstioProxy): Promise<ReturnType<typeof readIstioDump>> =>
      readIstioDump(await proxy.configDump(), way.region, placeOf(options));
    const [edge, cart] = await Promise.all([read(way.edge), read(way.cart)]);
    const stock = cart.services['stock'];
    if (stock === undefined) throw new Error('the sidecar was not told of stock');
    return {
      edge: Object.fromEntries(Object.entries(edge.services).map(([name, terms]) => [name, atEdge(terms)])),
      caller: observed(stock, ['caller', 'route']),
      callee: chosen(cart.inbound?.settings ?? {}, ['callee']),
    };
  }

  /** Applies the mesh every way and waits until each says that it runs it. */
  async function run(live: LiveMesh): Promise<void> {
    await bring(own, live, region);
    for (const [name, way] of ways) {
      await way.driver.apply(renderIstio(live, way.region, options));
      const left = async (): Promise<unknown[]> => {
        const dumps = await Promise.all([way.edge.configDump(), way.cart.configDump()]);
        return dumps.flatMap((dump) => compareIstioReadBack(live, way.region, dump, options));
      };
      // What does not come is named by the comparison that follows.
      await eventually(name, async () => (await left()).length === 0).catch(() => undefined);
      expect(await left()).toEqual([]);
    }
  }

  it.each<[string, { localPercent: number; overrides?: Readonly<Record<string, SettingValue>> }]>([
    ['shared with a neighbour', { localPercent: 60 }],
    ['all of it here, others standing by', { localPercent: 100 }],
    ['nothing of it here yet', { localPercent: 0 }],
    [
      'with every kind of setting changed by hand',
      {
        localPercent: 30,
        overrides: {
          'front.rateLimit.rps': 321.5,
          'front.rateLimit.burst': 77,
          'front.timeout.requestMs': 1234,
          'front.retry.maxPerRequest': 0,
          'cart.breaker.maxRequests': 43,
          'cart.breaker.maxConnections': 91,
          'cart.inbound.maxRequests': 7,
          'cart.inbound.retryRps': 1.5,
          'stock.outlier.consecutive5xx': 9,
          'stock.outlier.baseEjectionMs': 12_500,
          'stock.lb.policy': 'ROUND_ROBIN',
          'stock.retry.budgetPercent': 12.5,
        },
      },
    ],
  ])(
    'is the same: %s',
    async (_, change) => {
      const live = at(change);
      const files = renderIstio(live, region, options);
      expect([await refusedByIstioctl(files), await errorsByIstioctl(files)]).toEqual(['', []]);
      await run(live);
      expect(compareReadBack(live, own.host, await dumpOf(own.host))).toEqual([]);
      const ours = await ownSight();
      for (const way of ways.values()) expect(await sightOf(way)).toEqual(ours);
      // Not the same because it is all absent.
      expect(Object.keys(ours.edge['front']?.settings ?? {}).sort()).toEqual(fieldsIn(['caller', 'route', 'edge']));
      expect(Object.keys(ours.caller.settings).sort()).toEqual(fieldsIn(['caller', 'route']));
      expect(Object.keys(ours.callee).sort()).toEqual(fieldsIn(['callee']));
    },
    60_000,
  );
});

/** A region in two zones with two neighbours, every instance at an address of its own. */
function zonedRegion(own: EnvoyHost): RegionSpec {
  const base = shopRegion();
  const east = neighbourSpec({
    name: 'east',
    locality: { region: 'east', zone: 'east-a' },
    gateway: { address: '127.0.0.1', port: 7082 },
    networkLatencyMs: 20,
  });
  return {
    ...base,
    delivery: { tool: 'ansible', hostWaitSeconds: 1, hosts: [own.host] },
    services: base.services.map((service, k) => ({
      ...service,
      endpoints: service.endpoints.map((_, i) => ({
        address: `127.0.${k + 1}.${i + 1}`,
        port: CART_PORT,
        ...(i % 2 === 1 ? { zone: 'north-b' } : {}),
      })),
    })),
    neighbours: [neighbourSpec({}), east],
  };
}

function fieldsIn(seats: readonly IstioSeat[]): SettingField[] {
  const fields = Object.keys(ISTIO_PROJECTION) as SettingField[];
  return fields.filter((field) => seats.includes(ISTIO_PROJECTION[field].seat)).sort();
}

/** At the edge Istio has routes, and limits on them, of what users reach alone. */
function atEdge(terms: RunningTerms): Observed {
  return observed(terms, terms.entry ? ['caller', 'route', 'edge'] : ['caller']);
}

function observed(terms: RunningTerms, seats: readonly IstioSeat[]): Observed {
  const weights = Object.entries(terms.weights).filter(([, percent]) => percent > 0);
  const getsAny = new Set(weights.map(([name]) => name));
  const endpoints = Object.entries(terms.endpoints).filter(([name]) => getsAny.has(name));
  return {
    settings: chosen(terms.settings, seats),
    weights: Object.fromEntries(weights),
    endpoints: Object.fromEntries(endpoints),
  };
}

function chosen(settings: Partial<ServiceSettings>, seats: readonly IstioSeat[]): Partial<ServiceSettings> {
  const wanted = new Set<string>(fieldsIn(seats));
  const entries = Object.entries(settings).filter(([field]) => wanted.has(field));
  // Rates pass through whole tokens and nanoseconds.
  return Object.fromEntries(
    entries.map(([field, value]) => [field, typeof value === 'number' ? Number(value.toPrecision(7)) : value]),
  );
}
