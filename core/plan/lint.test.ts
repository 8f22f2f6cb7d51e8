import { describe, expect, it } from '@jest/globals';

import { planOf } from '../../test/fixtures/planned.js';
import { forecastOf, hostSpec, neighbourSpec, shopRegion } from '../../test/fixtures/regionSpec.js';
import { planHash } from '../spec/hash.js';
import type { LiveIntent, LiveMesh, LiveService } from '../spec/live.js';
import type { MeshPlan, ServicePlan } from '../spec/plan.js';
import type { RegionSpec, ServiceSpec } from '../spec/region.js';
import type { ServiceSettings } from '../spec/settings.js';
import { lintMesh } from './lint.js';
import { liveMesh } from './live.js';

const region = shopRegion();
const plan = planOf(region, forecastOf({ front: 400 }));
const FULL: LiveIntent = { stage: { localPercent: 100, enforceLimits: true }, adjustments: [], overrides: [] };
const live = (change: Partial<LiveIntent> = {}): LiveMesh =>
  liveMesh(region, plan, planHash(plan), { ...FULL, ...change });

function changed(service: string, change: (service: LiveService) => Partial<LiveService>, mesh = live()): LiveMesh {
  return {
    ...mesh,
    services: mesh.services.map((one) => (one.service === service ? { ...one, ...change(one) } : one)),
  };
}

const withSettings = (service: string, settings: Partial<ServiceSettings>): LiveMesh =>
  changed(service, (one) => ({ settings: { ...one.settings, ...settings } }));

function edited(service: string, change: Partial<ServicePlan>): MeshPlan {
  const windows = plan.windows.map((window) => ({
    ...window,
    services: window.services.map((one) => (one.service === service ? { ...one, ...change } : one)),
  }));
  return { ...plan, windows };
}

function withSpec(service: string, change: Partial<ServiceSpec>): RegionSpec {
  return { ...region, services: region.services.map((one) => (one.name === service ? { ...one, ...change } : one)) };
}

/** The region with proxies in front of the first `count` endpoints of a service. */
function behind(of: RegionSpec, service: string, count = 99): RegionSpec {
  const endpoints = of.services.find((one) => one.name === service)?.endpoints.slice(0, count) ?? [];
  const inbound = endpoints.map(({ address, port }) => ({
    ...{ service, socket: { address, port }, app: { address, port: port + 10_000 } },
  }));
  const host = hostSpec({ name: 'edge-1' });
  const hosts = [{ ...host, proxy: { ...host.proxy, inbound } }, hostSpec({ name: 'edge-2' })];
  return { ...of, delivery: { ...of.delivery, hosts } };
}

const codes = (mesh: LiveMesh): string[] => [...new Set(lintMesh(mesh, region, plan).map((problem) => problem.code))];

describe('lintMesh', () => {
  it('finds nothing in what was planned, at any stage and readiness', () => {
    for (const localPercent of [0, 10, 50, 100]) {
      for (const ready of [0, 1, 2, 3, 6]) {
        const readyInstances = { front: ready, cart: ready, stock: ready };
        const mesh = live({ stage: { localPercent, enforceLimits: true }, readyInstances });
        expect(lintMesh(mesh, region, plan, { readyInstances })).toEqual([]);
      }
    }
  });

  it.each<[string, string, LiveMesh]>([
    ['MESH001', 'weights sum to 90', changed('cart', () => ({ weights: { north: 50, south: 40 } }))],
    ['MESH001', 'weights are not whole', changed('cart', () => ({ weights: { north: 50.5, south: 49.5 } }))],
    ['MESH002', 'no local endpoint', changed('cart', () => ({ endpoints: [] }))],
    ['MESH003', 'the limit refuses what can be served', withSettings('cart', { 'rateLimit.rps': 200 })],
    ['MESH004', 'too few in flight', withSettings('stock', { 'breaker.maxRequests': 5 })],
    ['MESH004', 'too few connections', withSettings('stock', { 'breaker.maxConnections': 5 })],
    ['MESH005', 'nothing is ejected', withSettings('cart', { 'outlier.maxEjectionPercent': 0 })],
    ['MESH006', 'retries multiply', withSettings('cart', { 'retry.budgetPercent': 60 })],
    ['MESH007', 'the callee waits longer', withSettings('stock', { 'timeout.requestMs': 9000 })],
    ['MESH008', 'connecting takes longer than the request', withSettings('stock', { 'timeout.connectMs': 1021 })],
    ['MESH008', 'checks overlap', withSettings('stock', { 'health.timeoutMs': 2000 })],
    ['MESH009', 'out of range', withSettings('cart', { 'retry.maxPerRequest': 11 })],
    ['MESH009', 'not whole', withSettings('cart', { 'rateLimit.burst': 1.5 })],
    ['MESH011', 'a service is missing', { ...live(), services: live().services.slice(1) }],
    ['MESH012', 'nobody has shown that west can take over', changed('cart', () => ({ failover: ['west'] }))],
    ['MESH014', 'fewer in front of an instance than it works on', withSettings('cart', { 'inbound.maxRequests': 3 })],
    ['MESH016', 'a percent of less than one host', withSettings('cart', { 'outlier.maxEjectionPercent': 24 })],
    ['MESH017', 'what Istio takes for no limit', withSettings('cart', { 'breaker.maxRequests': 2 ** 32 - 1 })],
    ['MESH018', 'two slots at a proxy', withSettings('cart', { 'breaker.maxRequests': 2 })],
    ['MESH018', 'two connections at a proxy', withSettings('cart', { 'breaker.maxConnections': 2 })],
    ['MESH019', 'nothing to hash', withSettings('cart', { 'lb.policy': 'MAGLEV' })],
    ['MESH019', 'affinity that is not kept', changed('cart', () => ({ affinity: { header: 'x-user' } }))],
    ['MESH020', 'slow start of a random draw', withSettings('cart', { 'lb.policy': 'RANDOM', 'lb.slowStartMs': 1000 })],
  ])('%s: %s', (code, _, mesh) => {
    expect(codes(mesh)).toEqual([code]);
  });

  it('MESH002: requests to a region that is no neighbour', () => {
    expect(codes(changed('cart', () => ({ weights: { north: 50, west: 50 } })))).toContain('MESH002');
  });

  it('MESH013: requests to a neighbour that has nothing to spare, unless a person sent them there', () => {
    const poor = { ...region, neighbours: [neighbourSpec({ spareRps: { front: 600, stock: 1800 } })] };
    const alone = edited('cart', { failover: [] });
    const found = (mesh: LiveMesh): string[] => lintMesh(mesh, poor, alone).map((one) => `${one.code} ${one.field}`);
    expect(found(changed('cart', () => ({ weights: { north: 50, south: 50 }, failover: [] })))).toEqual([
      'MESH013 cart.weight.south',
    ]);
    const overrides = [{ address: 'cart.weight.south', value: 50, who: 'ada', why: 'test' }];
    expect(found(liveMesh(poor, alone, 'h', { ...FULL, overrides }))).toEqual([]);
  });

  it('MESH012: counts what comes over from here against what was shown and what is stated', () => {
    const proven = (spareRps: number): MeshPlan => edited('cart', { failover: [{ region: 'south', spareRps }] });
    const found = (changedPlan: MeshPlan, localPercent = 100): readonly string[] =>
      lintMesh(
        liveMesh(region, changedPlan, 'h', { ...FULL, stage: { localPercent, enforceLimits: true } }),
        region,
        changedPlan,
      ).map((one) => one.code);
    // 400 rps come to cart.
    expect(found(proven(400))).toEqual([]);
    expect(found(proven(380))).toEqual(['MESH012']);
    expect(found(proven(9000))).toEqual([]);
    const poor = { ...region, neighbours: [neighbourSpec({ spareRps: { front: 600, cart: 300, stock: 1800 } })] };
    const mesh = liveMesh(poor, proven(9000), 'h', FULL);
    expect(lintMesh(mesh, poor, proven(9000)).map((one) => one.code)).toEqual(['MESH012']);
  });

  it('MESH015 and MESH022: repeating what failed in any way, where no callee caps it or nothing says it is harmless', () => {
    const repeats = changed('stock', () => ({ idempotent: true }));
    expect(codes(repeats).sort()).toEqual(['MESH015', 'MESH022']);
    const harmless = withSpec('stock', { idempotent: true });
    const found = (of: RegionSpec): string[] => lintMesh(repeats, of, plan).map((one) => `${one.code} ${one.field}`);
    expect(found(harmless)).toEqual(['MESH015 front.retry.maxPerRequest']);
    expect(found(behind(harmless, 'stock'))).toEqual([]);
  });

  it('MESH021: proxies in front of some endpoints, or of none', () => {
    const some = (count: number): readonly string[] =>
      lintMesh(live(), behind(region, 'stock', count), plan).map((one) => `${one.code} ${one.field}`);
    const all = region.services.find((one) => one.name === 'stock')?.endpoints.length ?? 0;
    expect(some(all)).toEqual([]);
    expect(some(all - 1)).toEqual(['MESH021 stock.inbound']);
    const moved = behind(region, 'stock');
    const services = moved.services.map((one) =>
      one.name === 'stock' ? { ...one, endpoints: one.endpoints.slice(1) } : one,
    );
    expect(lintMesh(live(), { ...moved, services }, plan)).toMatchObject([
      { code: 'MESH021', field: 'stock.inbound', message: expect.stringContaining('127.0.0.1:9300') },
    ]);
  });

  it('MESH023: windows that do not follow each other, and changes of what was never set up', () => {
    const [first] = plan.windows;
    if (first === undefined) throw new Error('no window');
    const [front] = first.services;
    if (front === undefined) throw new Error('no service');
    const { to } = first;
    const later = (from: string, end: string, services: readonly ServicePlan[] = [front]): string[] =>
      lintMesh(live(), region, { ...plan, windows: [first, { from, to: end, services }] }).map(
        (p) => `${p.code} ${p.field}`,
      );
    expect(later(to, '2026-01-01T06:00:00.000Z')).toEqual([]);
    expect(later('2026-01-01T04:00:00.000Z', '2026-01-01T06:00:00.000Z')).toEqual(['MESH023 windows[1]']);
    expect(later(to, to)).toEqual(['MESH023 windows[1]']);
    const moment = (from: string): readonly string[] =>
      lintMesh(live(), region, { ...plan, windows: [{ ...first, from }] }).map((one) => one.code);
    expect(moment(to)).toEqual([]);
    expect(moment('2026-01-02T00:00:00.000Z')).toEqual(['MESH023']);
    expect(later(to, 'soon')).toEqual(['MESH023 windows[1]']);
    expect(later(to, '2026-01-01T06:00:00.000Z', [{ ...front, service: 'other' }])).toEqual(['MESH023 windows[1]']);
  });

  it('MESH024: shedding without a word', () => {
    const shed = edited('front', { admission: { value: 0.6, reason: 'stock has no room' } });
    const found = (of: MeshPlan): string[] =>
      lintMesh(liveMesh(region, of, 'h', FULL), region, of).map((one) => `${one.code} ${one.field}`);
    expect(found(shed)).toEqual(['MESH024 front.admission']);
    expect(found({ ...shed, warnings: ['front (normal): 160 rps are refused at the edge'] })).toEqual([]);
    expect(found({ ...shed, warnings: ['cart: something else'] })).toEqual(['MESH024 front.admission']);
  });

  it('finds nothing in plans of every trait', () => {
    const traits: Partial<ServiceSpec>[] = [
      { affinity: { cookie: 'user' } },
      { heterogeneous: true },
      { criticality: 'critical' },
      { criticality: 'sheddable' },
      { idempotent: true },
      { protocol: 'tcp' },
      { slo: { p99Ms: 30, maxErrorRate: 0.9 } },
      { capacity: { concurrency: 1, serviceTimeMs: 40, startupSeconds: 60, serviceTimeCv: 0.1 } },
    ];
    for (const trait of traits) {
      for (const shop of [withSpec('stock', trait), behind(withSpec('stock', trait), 'stock')]) {
        const made = planOf(shop, forecastOf({ front: 400 }));
        for (const stock of [0, 1, 6]) {
          const readyInstances = { stock };
          const mesh = liveMesh(shop, made, planHash(made), { ...FULL, readyInstances });
          expect(lintMesh(mesh, shop, made, { readyInstances })).toEqual([]);
        }
      }
    }
  });

  it('MESH010: adjustments outside the planned range', () => {
    const to = (plan.windows[0]?.services[0]?.bounds['rateLimit.rps']?.max ?? 0) + 1;
    const adjustment = {
      address: 'front.rateLimit.rps',
      from: 1,
      to,
      reason: 'r',
      planHash: planHash(plan),
      madeAt: '',
    };
    expect(codes(live({ adjustments: [adjustment] }))).toEqual(['MESH010']);
    expect(codes(live({ adjustments: [{ ...adjustment, to: to - 1 }] }))).toEqual([]);
  });

  it('leaves to a person what the plan would not do', () => {
    const overrides = [
      ['cart.rateLimit.rps', 5],
      ['cart.breaker.maxRequests', 1],
      ['cart.breaker.maxConnections', 1],
      ['cart.retry.budgetPercent', 100],
      ['stock.timeout.requestMs', 9000],
      ['stock.outlier.maxEjectionPercent', 0],
    ].map(([address, value]) => ({ address: String(address), value: Number(value), who: 'ada', why: 'incident' }));
    expect(lintMesh(live({ overrides }), region, plan)).toEqual([]);
  });

  it('names the service and the setting', () => {
    expect(lintMesh(withSettings('stock', { 'breaker.maxRequests': 5 }), region, plan)).toEqual([
      {
        code: 'MESH004',
        field: 'stock.breaker.maxRequests',
        message: expect.stringContaining('is 5, but'),
        expected: expect.stringContaining('or more'),
      },
    ]);
  });
});
