import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { planOf } from '../../test/fixtures/planned.js';
import { forecastOf, shopRegion } from '../../test/fixtures/regionSpec.js';
import { planHash } from '../spec/hash.js';
import type { LiveIntent, LiveService } from '../spec/live.js';
import type { SettingField, SettingValue } from '../spec/settings.js';
import { liveMesh } from './live.js';

const region = shopRegion();
const plan = planOf(region, forecastOf({ front: 400 }));
const hash = planHash(plan);
const FULL: LiveIntent = { stage: { localPercent: 100, enforceLimits: true }, adjustments: [], overrides: [] };

function live(change: Partial<LiveIntent>, service = 'front'): LiveService {
  const found = liveMesh(region, plan, hash, { ...FULL, ...change }).services.find((one) => one.service === service);
  if (found === undefined) throw new Error(`no ${service}`);
  return found;
}

const override = (address: string, value: SettingValue) => ({ address, value, who: 'ada', why: 'the sale' });
const adjustment = (address: string, to: number, madeAgainst = hash) => ({
  address,
  from: 0,
  to,
  reason: 'it was too tight',
  planHash: madeAgainst,
  madeAt: '2026-01-01T00:00:00Z',
});

describe('liveMesh', () => {
  it('is the plan itself when everything is as planned', () => {
    for (const service of plan.windows[0]?.services ?? []) {
      const running = live({}, service.service);
      for (const [field, setting] of Object.entries(service.settings)) {
        expect([field, running.settings[field as SettingField]]).toEqual([field, setting.value]);
        expect(running.reasons[field]).toBe(setting.reason);
      }
      expect(running.weights).toEqual(
        Object.fromEntries(Object.entries(service.weights).map(([r, w]) => [r, w.value])),
      );
      expect(running.endpoints).toEqual(service.endpoints);
    }
  });

  it('brings local weight in by stages; before them all requests go to the neighbour and nothing is refused', () => {
    const before = live({ stage: { localPercent: 0, enforceLimits: false } });
    expect(before.weights).toEqual({ north: 0, south: 100 });
    expect(before.settings['rateLimit.enforcedPercent']).toBe(0);
    // South can spare 600 rps; two proxies, 1.33 for imbalance.
    expect(before.settings['rateLimit.rps']).toBe(399);
    expect(before.reasons['weight.south']).toContain('0 % of the planned 100');
    const half = live({ stage: { localPercent: 50, enforceLimits: true } });
    expect(half.weights).toEqual({ north: 50, south: 50 });
    expect(half.settings['rateLimit.enforcedPercent']).toBe(100);
    // 480 rps here at half the requests bind before 600 there do.
    expect(half.settings['rateLimit.rps']).toBe(Math.ceil((960 * 1.33) / 2));
  });

  it('scales limits with the instances that are ready, and never lowers them as more are', () => {
    const fewer = live({ readyInstances: { front: 1 } });
    expect(fewer.settings['rateLimit.rps']).toBeLessThan(live({}).settings['rateLimit.rps']);
    expect(fewer.reasons['rateLimit.rps']).toContain('1 of 3 planned instances');
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 100 }), (ready, localPercent) => {
        for (const service of ['front', 'cart', 'stock']) {
          const stage = { localPercent, enforceLimits: true };
          const less = live({ stage, readyInstances: { [service]: ready } }, service).settings;
          const more = live({ stage, readyInstances: { [service]: ready + 1 } }, service).settings;
          for (const field of [
            'rateLimit.rps',
            'rateLimit.burst',
            'breaker.maxRequests',
            'breaker.maxConnections',
          ] as const) {
            expect(more[field]).toBeGreaterThanOrEqual(less[field]);
          }
        }
      }),
    );
  });

  it('never limits below what Little’s law needs for the rate that it admits', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 6 }), fc.integer({ min: 0, max: 100 }), (ready, localPercent) => {
        const stage = { localPercent, enforceLimits: true };
        const { settings } = live({ stage, readyInstances: { stock: ready } }, 'stock');
        expect(settings['breaker.maxRequests']).toBeGreaterThanOrEqual(Math.floor(settings['rateLimit.rps'] * 0.02));
      }),
    );
  });

  it('layers adjustments over the plan and overrides over adjustments', () => {
    const adjustments = [adjustment('front.rateLimit.rps', 333), adjustment('front.breaker.maxRequests', 44)];
    const overrides = [override('front.breaker.maxRequests', 55)];
    const { settings, reasons } = live({ adjustments, overrides });
    expect(settings).toMatchObject({ 'rateLimit.rps': 333, 'breaker.maxRequests': 55 });
    expect(reasons['rateLimit.rps']).toBe('adjusted: it was too tight');
    expect(reasons['breaker.maxRequests']).toBe('override by ada: the sale');
    expect(
      live({ adjustments: [...adjustments, adjustment('front.rateLimit.rps', 320)] }).settings['rateLimit.rps'],
    ).toBe(320);
    expect(live({ adjustments, overrides }, 'cart')).toEqual(live({}, 'cart'));
  });

  it('forgets adjustments made against another plan, and addresses that mean nothing', () => {
    const adjustments = [adjustment('front.rateLimit.rps', 333, 'another'), adjustment('front.no.such', 1)];
    expect(live({ adjustments, overrides: [override('nobody.rateLimit.rps', 1)] })).toEqual(live({}));
  });

  it('rescales the weights that are not overridden, and reckons limits with what comes out', () => {
    const moved = live({ overrides: [override('front.weight.south', 40)] });
    expect(moved.weights).toEqual({ north: 60, south: 40 });
    expect(moved.reasons).toMatchObject({
      'weight.south': 'override by ada: the sale',
      'weight.north': expect.stringContaining('makes room'),
    });
    expect(moved.settings['rateLimit.rps']).toBe(Math.ceil((800 * 1.33) / 2));
  });

  it('is pure: the same input gives an equal mesh', () => {
    expect(live({ readyInstances: { front: 2 } })).toEqual(live({ readyInstances: { front: 2 } }));
  });
});

describe('instances beyond the plan', () => {
  it('serve, and raise limits to what all of them take', () => {
    const planned = live({});
    expect(planned.endpoints).toHaveLength(3);
    expect(planned.unplanned).toHaveLength(1);
    const more = live({ readyInstances: { front: 4 } });
    expect(more.endpoints.map(({ port }) => port)).toEqual([9100, 9101, 9102, 9103]);
    expect(more).not.toHaveProperty('unplanned');
    expect(more.settings['rateLimit.rps']).toBe(Math.ceil((4 * 160 * 1.33) / 2));
    const counted = live({ readyInstances: { front: 99 } });
    expect(counted.endpoints).toHaveLength(4);
    const fewer = live({ readyInstances: { front: 1 } });
    expect(fewer.endpoints).toHaveLength(3);
  });

  it('are limited by what is ready and not by what was forecast', () => {
    const at = (forecast: number, ready: number): { rps: number; capacity: number; planned: number } => {
      const of = planOf(region, forecastOf({ front: forecast }));
      const front = of.windows[0]?.services[0];
      const { services } = liveMesh(region, of, 'h', { ...FULL, readyInstances: { front: ready } });
      return {
        rps: services[0]?.settings['rateLimit.rps'] ?? 0,
        capacity: Math.ceil((ready * (front?.perInstanceRps ?? 0) * 1.33) / 2),
        planned: front?.instances.value ?? 0,
      };
    };
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 620 }), fc.integer({ min: 0, max: 4 }), (forecast, ready) => {
        const { rps, capacity, planned } = at(forecast, ready);
        expect(rps).toBeGreaterThanOrEqual(capacity);
        if (ready >= planned) expect(rps).toBe(capacity);
      }),
    );
  });
});

describe('what a region file says of a service', () => {
  const services = region.services.map((one) => ({
    ...one,
    ...(one.name === 'cart' ? { affinity: { header: 'x-user' }, protocol: 'grpc' as const, idempotent: true } : {}),
  }));
  const inbound = region.services.flatMap(({ name, endpoints }) =>
    endpoints.map((socket) => ({ service: name, socket, app: { ...socket, port: socket.port + 10_000 } })),
  );
  const [host] = region.delivery.hosts;
  if (host === undefined) throw new Error('no host');
  const hosts = [{ ...host, proxy: { ...host.proxy, inbound } }, host];
  const cartOf = (of: typeof region): LiveService | undefined =>
    liveMesh(of, planOf(of, forecastOf({ front: 400 })), 'h', FULL).services.find((one) => one.service === 'cart');

  it('goes along; requests are repeated after any failure only where the callee caps it', () => {
    const open = cartOf({ ...region, services });
    expect(open).toMatchObject({ protocol: 'grpc', affinity: { header: 'x-user' } });
    expect(open?.settings['lb.policy']).toBe('RING_HASH');
    expect(open).not.toHaveProperty('idempotent');
    const behind = { ...region, services, delivery: { ...region.delivery, hosts } };
    // What it only hands on was repeated below.
    expect(cartOf(behind)).not.toHaveProperty('idempotent');
    const edges = ['cart', 'stock'].map((callee) => ({ caller: 'front', callee, callsPerRequest: 1 }));
    expect(cartOf({ ...behind, graph: { edges } })).toHaveProperty('idempotent', true);
    for (const field of ['protocol', 'affinity', 'idempotent']) expect(live({}, 'stock')).not.toHaveProperty(field);
  });

  it('leaves limits to proxies in front of instances, and the caller a bulkhead for all', () => {
    const behind = cartOf({ ...region, delivery: { ...region.delivery, hosts } });
    const without = cartOf(region);
    expect(behind?.settings['breaker.maxRequests']).toBeGreaterThan(
      1.9 * (without?.settings['breaker.maxRequests'] ?? 0),
    );
    expect(behind?.settings['rateLimit.rps']).toBe(without?.settings['rateLimit.rps']);
    expect(behind?.reasons['breaker.maxRequests']).toContain('bulkhead');
  });
});

describe('windows', () => {
  const [first] = plan.windows;
  if (first === undefined) throw new Error('no window');
  const [front] = first.services;
  if (front === undefined) throw new Error('no service');
  const changed = { ...front, instances: { value: 1, reason: 'night' } };
  const two = { ...plan, windows: [first, { from: first.to, to: '2026-01-01T06:00:00.000Z', services: [changed] }] };
  const endpoints = (intent: Partial<LiveIntent>, at?: string): number[] =>
    liveMesh(region, two, hash, { ...FULL, ...intent }, at).services.map((one) => one.endpoints.length);

  it('run whole: the intent’s, else the one of the moment, else the first', () => {
    expect(endpoints({})[0]).toBe(3);
    expect(endpoints({}, first.to)[0]).toBe(1);
    expect(endpoints({ window: first.to })[0]).toBe(1);
    expect(endpoints({ window: first.from }, first.to)[0]).toBe(3);
    expect(endpoints({ window: first.to })).toHaveLength(3);
  });

  it('name the regions that may take over, the first first', () => {
    const failover = [
      { region: 'south', spareRps: 900 },
      { region: 'east', spareRps: 900 },
    ];
    const of = { ...two, windows: [first, { ...first, from: first.to, services: [{ ...changed, failover }] }] };
    const [running] = liveMesh(region, of, hash, { ...FULL, window: first.to }).services;
    expect(running?.failover).toEqual(['south', 'east']);
  });

  it('have no slow start under a policy of a person’s that has none', () => {
    const settings = { ...front.settings, 'lb.slowStartMs': { value: 30_000, reason: 'cold' } };
    const of = { ...plan, windows: [{ ...first, services: [{ ...front, settings }] }] };
    const slow = (overrides: readonly ReturnType<typeof override>[]): number =>
      liveMesh(region, of, hash, { ...FULL, overrides }).services[0]?.settings['lb.slowStartMs'] ?? -1;
    expect(slow([])).toBe(30_000);
    expect(slow([override('front.lb.policy', 'ROUND_ROBIN')])).toBe(30_000);
    expect(slow([override('front.lb.policy', 'RANDOM')])).toBe(0);
  });
});
