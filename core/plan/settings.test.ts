import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { hostSpec, serviceSpec, shopRegion, sockets } from '../../test/fixtures/regionSpec.js';
import type { ServicePlan } from '../spec/plan.js';
import type { Criticality, RegionSpec, ServiceSpec } from '../spec/region.js';
import { SETTING_FIELDS } from '../spec/settings.js';
import type { SettingField } from '../spec/settings.js';
import { IMBALANCE_MARGIN } from './limits.js';
import { planBounds, planSettings } from './settings.js';
import type { SettingsInput } from './settings.js';

/** A region of `proxies` hosts; with `inbound` each instance of the service has a proxy in front. */
function regionOf(service: ServiceSpec, proxies: number, inbound: boolean): RegionSpec {
  const hosts = Array.from({ length: proxies }, (_, i) => hostSpec({ name: `edge-${i}` }));
  const [first] = hosts;
  if (inbound && first !== undefined) {
    const behind = service.endpoints.map((socket) => ({ service: service.name, socket, app: socket }));
    hosts[0] = { ...first, proxy: { ...first.proxy, inbound: behind } };
  }
  return shopRegion({ services: [service], neighbours: [], delivery: { tool: 'ansible', hostWaitSeconds: 1, hosts } });
}

interface Case {
  spec?: Partial<ServiceSpec>;
  proxies?: number;
  inbound?: boolean;
  input?: Partial<SettingsInput>;
}

function inputOf({ spec = {}, proxies = 2, inbound = false, input = {} }: Case): SettingsInput {
  const service = serviceSpec({ name: 'cart', endpoints: sockets(9200, 20), ...spec });
  return {
    ...{ region: regionOf(service, proxies, inbound), service, demandRps: 800, admissibleRps: 1600, instances: 10 },
    ...{ perInstanceRps: 160, weights: { north: 100 }, timeouts: { cart: 1000 }, calls: {} },
    retryLayers: { budgeted: inbound ? 0 : 1, capped: inbound ? 1 : 0 },
    ...input,
  };
}

const settingsOf = (one: Case): ServicePlan['settings'] => planSettings(inputOf(one));
const value = (one: Case, field: Exclude<SettingField, 'lb.policy'>): number => settingsOf(one)[field].value;

describe('rate limits', () => {
  const levels: readonly Criticality[] = ['sheddable', 'normal', 'critical'];
  const limits = (admission?: number): number[][] =>
    levels.map((criticality) => {
      const one = { spec: { criticality }, input: admission === undefined ? {} : { admission } };
      return [value(one, 'rateLimit.rps'), value(one, 'rateLimit.burst')];
    });

  it('are as generous as what they guard is critical, and never below ready capacity', () => {
    expect(limits()).toEqual([
      [1064, 532],
      [1064, 1064],
      [1328, 2656],
    ]);
    expect(limits(1)).toEqual(limits());
  });

  it('let in what the plan does not shed, a share of the demand', () => {
    // 60 % of 800 rps over two proxies.
    expect(limits(0.6)).toEqual([
      [240, 120],
      [320, 320],
      [320, 640],
    ]);
    expect(settingsOf({ input: { admission: 0.6 } })['rateLimit.rps'].reason).toContain('60 % of the demand');
    expect(value({ input: { admission: 0 } }, 'rateLimit.rps')).toBe(1);
  });

  it('let pass at once what the ready workers can take', () => {
    const capacity = { concurrency: 100, serviceTimeMs: 5000, startupSeconds: 1 };
    const slow = { spec: { capacity }, input: { admissibleRps: 160, perInstanceRps: 16 } };
    expect(value(slow, 'rateLimit.rps')).toBe(107);
    expect(value(slow, 'rateLimit.burst')).toBe(Math.ceil((10 * 100 * 1.33) / 2));
  });
});

describe('limits in front of an instance', () => {
  it('hold what it answers within its SLO, never fewer than it works on', () => {
    expect(value({}, 'inbound.maxRequests')).toBe(40);
    expect(value({ input: { perInstanceRps: 2 } }, 'inbound.maxRequests')).toBe(4);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 64 }), fc.double({ min: 0.05, max: 0.8, noNaN: true }), (workers, busy) => {
        const serviceTimeMs = 20;
        const perInstanceRps = (workers * busy * 1000) / serviceTimeMs;
        const capacity = { concurrency: workers, serviceTimeMs, startupSeconds: 1 };
        const limit = value({ spec: { capacity }, input: { perInstanceRps } }, 'inbound.maxRequests');
        expect(limit).toBeGreaterThanOrEqual(workers);
        // The last one let in waits for the others to be worked off.
        const workedOffMs = (Math.max(0, limit - 1) * serviceTimeMs) / workers;
        expect(workedOffMs).toBeLessThanOrEqual(250);
      }),
    );
  });

  it('leave callers a bulkhead that many proxies do not divide into nothing', () => {
    const few = { concurrency: 8, serviceTimeMs: 20, startupSeconds: 1 };
    const many: Case = { spec: { capacity: few }, proxies: 200, input: { admissibleRps: 400 } };
    expect(value(many, 'breaker.maxRequests')).toBe(10);
    expect(value({ ...many, inbound: true }, 'breaker.maxRequests')).toBe(Math.ceil(0.25 * 400 * IMBALANCE_MARGIN));
    expect(value({ ...many, inbound: true }, 'rateLimit.rps')).toBe(value(many, 'rateLimit.rps'));
  });

  it('cap repeated requests, the more tightly the more layers repeat them', () => {
    const retryRps = (capped: number): number =>
      value({ inbound: true, input: { retryLayers: { budgeted: 0, capped } } }, 'inbound.retryRps');
    expect([1, 2, 3, 6].map(retryRps)).toEqual([16, 16, 11.58, 5.59]);
  });
});

describe('planBounds', () => {
  it('let numbers move from one ready instance to all that may be, planned value included', () => {
    const cases = fc.record({
      proxies: fc.integer({ min: 1, max: 300 }),
      inbound: fc.boolean(),
      spec: fc.record({ criticality: fc.constantFrom<Criticality>('critical', 'normal', 'sheddable') }),
      input: fc.record({
        instances: fc.integer({ min: 0, max: 20 }),
        admissibleRps: fc.double({ min: 0, max: 3200, noNaN: true }),
      }),
    });
    fc.assert(
      fc.property(cases, (one) => {
        const input = inputOf(one);
        const settings = planSettings(input);
        const bounds = planBounds(input, settings);
        for (const field of ['rateLimit.rps', 'breaker.maxRequests'] as const) {
          expect(bounds[field]?.min).toBeLessThanOrEqual(settings[field].value);
          expect(bounds[field]?.max).toBeGreaterThanOrEqual(settings[field].value);
        }
        const all = planSettings({ ...input, instances: 20, admissibleRps: 3200 });
        expect(bounds['rateLimit.rps']?.max).toBeGreaterThanOrEqual(all['rateLimit.rps'].value);
        expect(bounds['breaker.maxRequests']?.min).toBeGreaterThanOrEqual(3);
        for (const [field, info] of Object.entries(SETTING_FIELDS)) {
          const planned = settings[field as SettingField].value;
          if (typeof planned !== 'number') continue;
          expect([field, planned >= (info.min ?? -Infinity) && planned <= (info.max ?? Infinity)]).toEqual([
            field,
            true,
          ]);
        }
      }),
      { numRuns: 60 },
    );
  });
});
