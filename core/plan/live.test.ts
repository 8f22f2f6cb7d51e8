import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { planOf } from '../../test/fixtures/planned.js';
import { forecastOf, shopRegion } from '../../test/fixtures/regionSpec.js';
import { planHash } from '../spec/hash.js';
import type { LiveIntent, LiveService } from '../spec/live.js';
import type { SettingField, SettingValue } from '../spec/settings.js';
import { currentWindow, liveMesh } from './live.js';

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

describe('currentWindow', () => {
  const [only] = plan.windows;
  if (only === undefined) throw new Error('no window');
  const later = { ...only, from: only.to, to: '2026-01-01T06:00:00.000Z' };
  const two = { ...plan, windows: [only, later] };

  it('is the one that holds the moment, else the nearest', () => {
    expect(currentWindow(two)).toBe(only);
    expect(currentWindow(two, '2025-01-01T00:00:00Z')).toBe(only);
    expect(currentWindow(two, '2026-01-01T02:59:59Z')).toBe(only);
    expect(currentWindow(two, '2026-01-01T03:00:00Z')).toBe(later);
    expect(currentWindow(two, '2027-01-01T00:00:00Z')).toBe(later);
  });
});
