import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import {
  forecastOf,
  hostSpec,
  neighbourSpec,
  serviceSpec,
  shopRegion,
  sockets,
} from '../../test/fixtures/regionSpec.js';
import { planOf, tryPlan } from '../../test/fixtures/planned.js';
import { samplePaths } from '../forecast/calibration/paths.js';
import type { MeshPlan, ServicePlan } from '../spec/plan.js';
import { SETTING_FIELDS } from '../spec/settings.js';
import { planProblems } from './planSchema.js';
import { IMBALANCE_MARGIN } from './limits.js';
import { MAX_AMPLIFICATION } from './retries.js';

function serviceOf(plan: MeshPlan, name: string): ServicePlan {
  const found = plan.windows[0]?.services.find((service) => service.service === name);
  if (found === undefined) throw new Error(`no ${name}`);
  return found;
}

const weightsOf = (service: ServicePlan): Record<string, number> =>
  Object.fromEntries(Object.entries(service.weights).map(([name, weight]) => [name, weight.value]));

describe('planMesh', () => {
  const plan = planOf(shopRegion(), forecastOf({ front: 400 }));

  it('plans one window over the horizon for the highest step of the chosen quantile, carried through the graph', () => {
    expect(plan.windows).toHaveLength(1);
    expect(plan.windows[0]).toMatchObject({ from: '2026-01-01T00:00:00.000Z', to: '2026-01-01T03:00:00.000Z' });
    const demand = plan.windows[0]?.services.map((s) => [s.service, s.demand.quantile, s.demand.rps]);
    expect(demand).toEqual([
      ['front', 'p95', 400],
      ['cart', 'p95', 400],
      ['stock', 'p95', 1200],
    ]);
    const median = planOf(
      shopRegion({ forecast: { horizonSteps: 3, seasons: [24], demandQuantile: 'p50' } }),
      forecastOf({ front: 400 }),
    );
    expect(serviceOf(median, 'front').demand.rps).toBe(240);
  });

  it('reads joint paths: the quantile of the peak is above the peak of the quantiles', () => {
    const byHand = forecastOf({ front: 400 });
    const held = Array.from({ length: 5 }, (_, origin) => ({
      originMs: origin * 10_000,
      actual: [100, 120, 90].map((value, step) => value + 17 * Math.sin(7 * origin + 3 * step)),
      predicted: [100, 110, 95],
    }));
    const services = [{ service: 'front', heldOut: held }];
    const joint = samplePaths({ services, shortestSeason: 24, seed: 1 });
    const planned = planOf(shopRegion(), { ...byHand, joint });
    const front = serviceOf(planned, 'front').demand.rps;
    expect(front).toBeGreaterThan(400);
    expect(front).toBeLessThan(600);
    expect(serviceOf(planned, 'stock').demand.rps).toBeCloseTo(3 * front, 1);
    expect(planOf(shopRegion(), { ...byHand, joint })).toEqual(planned);
  });

  it('buys the instances that the demand needs, the first addresses of the file', () => {
    expect(serviceOf(plan, 'front').instances).toMatchObject({ value: 3, inputs: { binding: 'utilisation' } });
    expect(serviceOf(plan, 'front').endpoints.map((socket) => socket.port)).toEqual([9100, 9101, 9102]);
  });

  it('gives every setting a value in range and a reason, and is a plan by its schema', () => {
    for (const service of plan.windows[0]?.services ?? []) {
      expect(Object.keys(service.settings).sort()).toEqual(Object.keys(SETTING_FIELDS).sort());
      for (const setting of Object.values(service.settings)) expect(setting.reason.length).toBeGreaterThan(10);
    }
    expect(planProblems(JSON.parse(JSON.stringify(plan)))).toEqual([]);
  });

  it('sends away what local capacity cannot take, to the nearest neighbour that can', () => {
    const region = shopRegion({
      services: [serviceSpec({ name: 'front', entry: { pathPrefix: '/' }, endpoints: sockets(9100, 2) })],
      graph: {},
      neighbours: [
        neighbourSpec({ name: 'far', networkLatencyMs: 80, spareRps: { front: 900 } }),
        neighbourSpec({ name: 'near', networkLatencyMs: 8, spareRps: { front: 50 } }),
        neighbourSpec({ name: 'empty', networkLatencyMs: 1, spareRps: {} }),
      ],
    });
    // 2 × 160 rps here, 50 near, 30 far.
    const spilled = planOf(region, forecastOf({ front: 400 }));
    const { north = 0, near = 0, far = 0, empty } = weightsOf(serviceOf(spilled, 'front'));
    expect(empty).toBe(0);
    expect(near).toBeGreaterThan(far);
    // No place gets more than it takes, but for the rounding to whole percents.
    expect(4 * north).toBeLessThanOrEqual(320 + 4);
    expect(4 * near).toBeLessThanOrEqual(50 + 4);
    expect(Object.keys(serviceOf(spilled, 'front').weights)[0]).toBe('north');
    expect(spilled.warnings).toEqual([]);
    const short = planOf(region, forecastOf({ front: 2000 }));
    expect(short.warnings).toEqual([
      expect.stringMatching(/^front \(normal\): \d+(\.\d)? rps are refused at the edge at the peak/),
    ]);
    const { admission } = serviceOf(short, 'front');
    // 320 here, 50 near and 900 far, of 2000.
    expect(admission?.value).toBeGreaterThan(0.6);
    expect(admission?.value).toBeLessThan(0.67);
    expect(
      short.windows[0]?.services.every((one) => (one.admission?.value ?? 1) === 1 || one.service === 'front'),
    ).toBe(true);
  });

  it('admits over all proxies what can be served and what is expected, whatever the demand', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 3000, noNaN: true }), fc.integer({ min: 1, max: 5 }), (rps, proxies) => {
        const hosts = Array.from({ length: proxies }, (_, i) => hostSpec({ name: `edge-${i}` }));
        const region = shopRegion({ delivery: { tool: 'ansible', hostWaitSeconds: 1, hosts } });
        for (const service of planOf(region, forecastOf({ front: rps })).windows[0]?.services ?? []) {
          const admitted = service.settings['rateLimit.rps'].value * proxies;
          const share = service.admission?.value ?? 1;
          const local =
            service.weights['north']?.value === 100 && share === 1
              ? service.instances.value * service.perInstanceRps
              : 0;
          expect(admitted).toBeGreaterThanOrEqual(
            Math.max(Math.min(share * service.demand.rps, service.arrivingRps ?? 0), local) * IMBALANCE_MARGIN - 1e-6,
          );
          const inFlight = ((service.arrivingRps ?? 0) / proxies) * 0.02;
          expect(service.settings['breaker.maxRequests'].value).toBeGreaterThanOrEqual(inFlight);
          for (const [field, { min, max }] of Object.entries(service.bounds)) {
            const { value } = service.settings[field as 'rateLimit.rps'];
            expect(value).toBeGreaterThanOrEqual(min);
            expect(value).toBeLessThanOrEqual(max);
          }
        }
      }),
      { numRuns: 50 },
    );
  });

  it('lets every caller wait longer than each of its callees, and bounds what retries multiply', () => {
    const timeout = (name: string): number => serviceOf(plan, name).settings['timeout.requestMs'].value;
    expect(timeout('front')).toBeGreaterThan(timeout('cart'));
    expect(timeout('cart')).toBeGreaterThan(timeout('stock'));
    const budgets = ['front', 'cart', 'stock'].map(
      (name) => serviceOf(plan, name).settings['retry.budgetPercent'].value,
    );
    expect(budgets.reduce((product, budget) => product * (1 + budget / 100), 1)).toBeLessThanOrEqual(MAX_AMPLIFICATION);
    expect(budgets.every((budget) => budget > 10)).toBe(true);
  });

  it('refuses a forecast without trust, and one that is missing', () => {
    expect(tryPlan(shopRegion(), forecastOf({ front: 400 }, 'none'))).toMatchObject([{ code: 'trust-none' }]);
    expect(tryPlan(shopRegion(), forecastOf({ cart: 400 }))).toMatchObject([
      { code: 'forecast-missing', field: 'forecast.front' },
    ]);
  });

  it('lets a forecast of low trust raise what ran before, never lower it', () => {
    const before = planOf(shopRegion(), forecastOf({ front: 400 }));
    const low = (rps: number): MeshPlan => planOf(shopRegion(), forecastOf({ front: rps }, 'low'), before);
    expect(serviceOf(low(100), 'stock').demand).toMatchObject({ rps: 1200, trust: 'low' });
    expect(low(100).warnings).toHaveLength(3);
    expect(serviceOf(low(500), 'front').demand.rps).toBe(500);
    expect(serviceOf(planOf(shopRegion(), forecastOf({ front: 100 }), before), 'front').demand.rps).toBe(100);
  });

  it('plans for the larger of what the graph brings and a forecast of the service itself, and says so', () => {
    const own = planOf(shopRegion(), forecastOf({ front: 400, cart: 600 }));
    expect(serviceOf(own, 'cart').demand.rps).toBe(600);
    expect(own.warnings).toEqual(
      expect.arrayContaining([expect.stringContaining('cart: its own forecast of 600 rps')]),
    );
  });

  it('names every service that cannot be planned, not only the first', () => {
    const slow = { concurrency: 1, serviceTimeMs: 300, startupSeconds: 1 };
    const region = shopRegion();
    const services = region.services.map((service) => ({ ...service, capacity: slow }));
    const problems = tryPlan({ ...region, services }, forecastOf({ front: 10 }));
    expect(problems).toMatchObject([
      { code: 'slo-below-service-time', field: 'services[0].slo.p99Ms' },
      { code: 'slo-below-service-time', field: 'services[1].slo.p99Ms' },
      { code: 'slo-below-service-time', field: 'services[2].slo.p99Ms' },
    ]);
  });

  it('refuses a service that nobody would answer', () => {
    const region = shopRegion({ neighbours: [] });
    const services = region.services.map((s) => (s.name === 'cart' ? { ...s, endpoints: [] } : s));
    expect(tryPlan({ ...region, services }, forecastOf({ front: 10 }))).toMatchObject([
      { code: 'nobody-serves', field: 'services[1].endpoints' },
    ]);
  });
});

describe('neighbours that are equally good', () => {
  it('get the same whatever their order', () => {
    const front = serviceSpec({ name: 'front', entry: { pathPrefix: '/' }, endpoints: sockets(9100, 2) });
    const of = (names: readonly string[]): Record<string, number> => {
      const neighbours = names.map((name) => neighbourSpec({ name, spareRps: { front: 300 } }));
      const region = shopRegion({ services: [front], graph: { edges: [] }, neighbours });
      return weightsOf(serviceOf(planOf(region, forecastOf({ front: 500 })), 'front'));
    };
    expect(of(['west', 'middle', 'east'])).toEqual(of(['east', 'middle', 'west']));
  });
});

describe('a region that sheds', () => {
  const front = serviceSpec({ name: 'front', entry: { pathPrefix: '/' }, endpoints: sockets(9100, 1) });
  const cart = serviceSpec({ name: 'cart', entry: { pathPrefix: '/cart' }, endpoints: sockets(9200, 2) });

  it('routes the rest as well as if nothing were shed', () => {
    const neighbours = [neighbourSpec({ networkLatencyMs: 5, spareRps: { cart: 600 } })];
    const region = shopRegion({ services: [front, cart], graph: { edges: [] }, neighbours });
    const weights = [100, 20_000].map((rps) =>
      weightsOf(serviceOf(planOf(region, forecastOf({ front: rps, cart: 400 })), 'cart')),
    );
    expect(weights[1]).toEqual(weights[0]);
    expect(weights[0]?.['south']).toBeGreaterThan(0);
  });

  it('refuses only what costs as much as it is worth, with no neighbour as well', () => {
    const store = serviceSpec({ name: 'store', endpoints: sockets(9300, 2) });
    const edges = [{ caller: 'front', callee: 'store', callsPerRequest: 2 }];
    const region = shopRegion({
      services: [{ ...front, endpoints: sockets(9100, 8) }, store],
      graph: { edges },
      neighbours: [],
    });
    const { admission } = serviceOf(planOf(region, forecastOf({ front: 400 })), 'front');
    expect(admission?.value).toBeLessThan(1);
    expect(Number(admission?.inputs?.['price'])).toBeGreaterThan(0.9);
  });
});

describe('planProblems', () => {
  it('names what is no plan', () => {
    const plan = JSON.parse(JSON.stringify(planOf(shopRegion(), forecastOf({ front: 400 })))) as MeshPlan;
    const broken = JSON.parse(
      JSON.stringify(plan)
        .replace('"north":{"value":100', '"north":{"value":90')
        .replace('"value":"LEAST_REQUEST"', '"value":"BEST"'),
    ) as unknown;
    expect(planProblems(broken).map((problem) => problem.field)).toEqual([
      'windows[0].services[0].weights',
      'windows[0].services[0].settings.lb.policy.value',
    ]);
    expect(planProblems(null)).toMatchObject([{ field: '(document)' }]);
  });
});
