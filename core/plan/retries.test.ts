import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { hostSpec, serviceSpec, shopRegion } from '../../test/fixtures/regionSpec.js';
import type { RegionSpec, ServiceSpec } from '../spec/region.js';
import { inboundOf, isBehindInbound } from './inbound.js';
import type { Calls } from './paths.js';
import {
  MAX_AMPLIFICATION,
  calleeRetryShare,
  retriesAnyFailure,
  retryBudgetPercent,
  retryLayers,
  retrySettings,
} from './retries.js';

const calls: Calls = { front: { cart: 1, stock: 2 }, cart: { stock: 1 }, stock: {} };

/** The shop with proxies in front of the instances of some services. */
function shopBehind(...names: readonly string[]): RegionSpec {
  const region = shopRegion();
  const inbound = region.services
    .filter(({ name }) => names.includes(name))
    .flatMap(({ name, endpoints }) =>
      endpoints.map((socket) => ({ service: name, socket, app: { ...socket, port: socket.port + 10_000 } })),
    );
  const host = hostSpec({ name: 'edge-1' });
  return { ...region, delivery: { ...region.delivery, hosts: [{ ...host, proxy: { ...host.proxy, inbound } }] } };
}

describe('inboundOf', () => {
  it('counts endpoints that have a proxy in front, and nothing else', () => {
    const region = shopBehind('cart');
    const [host] = region.delivery.hosts;
    if (host === undefined) throw new Error('no host');
    const stray = { service: 'front', socket: { address: '127.0.0.1', port: 1 }, app: { address: '::1', port: 2 } };
    const inbound = [...(host.proxy.inbound ?? []), ...(host.proxy.inbound ?? []), stray];
    const hosts = [{ ...host, proxy: { ...host.proxy, inbound } }];
    const index = inboundOf({ ...region, delivery: { ...region.delivery, hosts } });
    expect([...index]).toEqual([
      ['front', 0],
      ['cart', 4],
    ]);
    expect(region.services.map((service) => isBehindInbound(service, index))).toEqual([false, true, false]);
    expect(inboundOf(shopRegion()).size).toBe(0);
  });
});

describe('retryLayers', () => {
  it('counts apart what a budget bounds and what callees cap', () => {
    expect(retryLayers(shopRegion(), calls)).toEqual({ budgeted: 3, capped: 0 });
    expect(retryLayers(shopBehind('cart'), calls)).toEqual({ budgeted: 2, capped: 1 });
    expect(retryLayers(shopBehind('front', 'cart', 'stock'), calls)).toEqual({ budgeted: 0, capped: 3 });
  });

  it('leaves out what cannot be asked again', () => {
    const region = shopBehind('stock');
    const services = region.services.map((one): ServiceSpec =>
      one.name === 'stock' ? { ...one, protocol: 'tcp' } : one,
    );
    expect(retryLayers({ ...region, services }, calls)).toEqual({ budgeted: 2, capped: 0 });
  });
});

describe('retries', () => {
  const settings = (change: Partial<ServiceSpec>, behindInbound: boolean, layers = { budgeted: 3, capped: 0 }) =>
    retrySettings({
      ...{ service: serviceSpec({ name: 'cart', ...change }), behindInbound, layers },
      ...{ perInstanceRps: 160, maxRequests: 100, calls: {} },
    });

  it('multiply along any path to at most 1.5, down to half of the capacity where callees cap', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 30 }), fc.integer({ min: 0, max: 30 }), (budgeted, capped) => {
        const layers = { budgeted, capped };
        const budget = settings({}, false, layers)['retry.budgetPercent'].value / 100;
        const share = settings({ idempotent: true }, true, layers)['inbound.retryRps'].value / 160;
        // Rates are told in hundredths.
        const exact = Math.max(0, share - 0.005 / 160);
        expect((1 + budget) ** budgeted * (1 + 2 * exact) ** capped).toBeLessThanOrEqual(MAX_AMPLIFICATION + 1e-9);
      }),
    );
    expect(retryBudgetPercent(1)).toBe(20);
    expect(retryBudgetPercent(5)).toBe(8.4);
    expect(calleeRetryShare(1)).toBe(0.1);
  });

  it('repeat what failed in any way only where it does no harm and the callee caps it', () => {
    const harmless = serviceSpec({ name: 'cart', idempotent: true });
    expect(retriesAnyFailure(harmless, true, {})).toBe(true);
    expect(retriesAnyFailure(harmless, false, {})).toBe(false);
    expect(retriesAnyFailure(harmless, true, { stock: 1 })).toBe(false);
    expect(retriesAnyFailure(serviceSpec({ name: 'cart' }), true, {})).toBe(false);
    expect(retriesAnyFailure({ ...harmless, protocol: 'tcp' }, true, {})).toBe(false);
    expect(settings({}, true)['retry.maxPerRequest'].value).toBe(1);
    expect(settings({ protocol: 'tcp' }, true)['retry.maxPerRequest'].value).toBe(0);
  });

  it('leave a caller its breaker’s worth, for failures at connecting', () => {
    expect(settings({}, false)['retry.minConcurrency'].value).toBe(15);
  });
});
