import { describe, expect, it } from '@jest/globals';
import { forecastOf, neighbourSpec, serviceSpec, shopRegion, sockets } from '../../test/fixtures/regionSpec.js';
import { planOf } from '../../test/fixtures/planned.js';
import type { MeshPlan, ServicePlan } from '../spec/plan.js';
import type { RegionSpec } from '../spec/region.js';
import { peaksBySecond } from './peaks.js';

const front = (plan: MeshPlan): ServicePlan => {
  const found = plan.windows[0]?.services.find((one) => one.service === 'front');
  if (found === undefined) throw new Error('no front');
  return found;
};

function chain(depth: number, over: Partial<RegionSpec> = {}): RegionSpec {
  const names = ['front', ...Array.from({ length: depth }, (_, i) => `s${i}`)];
  return shopRegion({
    services: names.map((name, i) =>
      serviceSpec({
        name,
        ...(i === 0 ? { entry: { pathPrefix: '/' } } : {}),
        endpoints: sockets(9000 + 100 * i, 40),
        capacity: { concurrency: 8, serviceTimeMs: 10, startupSeconds: 1 },
        slo: { p99Ms: 100, maxErrorRate: 0.01 },
      }),
    ),
    graph: { edges: names.slice(1).map((callee, i) => ({ caller: names[i] ?? '', callee, callsPerRequest: 1 })) },
    neighbours: [],
    ...over,
  });
}

describe('the p99 of whole requests', () => {
  const p99 = (region: RegionSpec): number =>
    front(planOf(region, forecastOf({ front: 500 }))).requestP99Ms?.value ?? 0;

  it('grows with the calls on the way, by less than the sum of their p99', () => {
    const [alone, three] = [p99(chain(0)), p99(chain(2))];
    expect(alone).toBeGreaterThan(10);
    expect(three).toBeGreaterThan(1.2 * alone);
    expect(three).toBeLessThan(2.9 * alone);
  });

  it('is on entries alone, the same in every window, and for the same input the same', () => {
    const plan = planOf(chain(2), forecastOf({ front: 500 }));
    const others = plan.windows.flatMap((one) => one.services).filter((one) => one.service !== 'front');
    expect(others.every((one) => one.requestP99Ms === undefined)).toBe(true);
    expect(front(plan).requestP99Ms?.inputs).toMatchObject({ sloP99Ms: 100, samples: 1000, cutOff: 0 });
    expect(planOf(chain(2), forecastOf({ front: 500 }))).toEqual(plan);
  });

  it('holds the way to another region', () => {
    const near = chain(1);
    const [, second] = near.services;
    const away = chain(1, {
      // The second service is answered elsewhere: here it has room for next to nothing.
      services: near.services.map((one) =>
        one === second
          ? { ...one, endpoints: one.endpoints.slice(0, 1), capacity: { ...one.capacity, concurrency: 1 } }
          : one,
      ),
      neighbours: [neighbourSpec({ name: 'north', networkLatencyMs: 40, spareRps: { s0: 5000, front: 0 } })],
    });
    expect(p99(away)).toBeGreaterThan(p99(near) + 60);
  });

  it('is warned of when it will be over the SLO although every service keeps its own', () => {
    const deep = planOf(chain(8), forecastOf({ front: 500 }));
    expect(deep.warnings.join()).toMatch(
      /^front: whole requests will have a p99 of \d+(\.\d)? ms, over its SLO of 100 ms/,
    );
    expect(planOf(chain(1), forecastOf({ front: 500 })).warnings).toEqual([]);
  });
});

describe('bursts within a step', () => {
  it('are planned for, and told', () => {
    const listed = Array.from({ length: 3600 }, (_, i) => ({
      at: i * 1000,
      service: 'front',
      rps: i % 10 === 0 ? 1500 : 300,
    }));
    const peaks = peaksBySecond(listed, 600);
    const region = chain(1);
    const plain = planOf(region, forecastOf({ front: 500 }));
    const burst = planOf(region, forecastOf({ front: 500 }), undefined, { peaks });
    const factor = peaks.get('front')?.excess ?? 0;
    expect(factor).toBeGreaterThan(2);
    for (const [i, one] of (burst.windows[0]?.services ?? []).entries()) {
      const before = plain.windows[0]?.services[i];
      expect(one.demand.rps).toBeCloseTo(500 * factor, 0);
      expect(one.instances.value).toBeGreaterThan(before?.instances.value ?? 99);
      expect(one.instances.reason).toContain('for seconds busier than chance makes them');
    }
  });
});

describe('memory of an instance', () => {
  it('binds where what is in flight would not fit', () => {
    const region = chain(0);
    const tight = chain(0, {
      services: region.services.map((one) => ({
        ...one,
        capacity: { ...one.capacity, memory: { mibPerRequest: 20, mibPerInstance: 512, idleMib: 300 } },
      })),
    });
    const [plenty, few] = [region, tight].map((one) => front(planOf(one, forecastOf({ front: 500 }))));
    expect(few?.instances.value).toBeGreaterThan(plenty?.instances.value ?? 99);
    expect(few?.instances.inputs?.['perInstanceBinding']).toBe('memory');
  });
});
