import { describe, expect, it } from '@jest/globals';

import { planOf } from '../../test/fixtures/planned.js';
import { forecastOf, shopRegion } from '../../test/fixtures/regionSpec.js';
import { planHash } from '../spec/hash.js';
import type { LiveIntent, LiveMesh, LiveService } from '../spec/live.js';
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
  ])('%s: %s', (code, _, mesh) => {
    expect(codes(mesh)).toEqual([code]);
  });

  it('MESH002: requests to a region that is no neighbour', () => {
    expect(codes(changed('cart', () => ({ weights: { north: 50, west: 50 } })))).toContain('MESH002');
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
