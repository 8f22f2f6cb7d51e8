import { describe, expect, it } from '@jest/globals';

import { planOf } from '../../test/fixtures/planned.js';
import { forecastOf, shopRegion } from '../../test/fixtures/regionSpec.js';
import { graphOfRegion } from '../graph/build.js';
import { liveMesh } from '../plan/live.js';
import { planHash } from '../spec/hash.js';
import type { LiveIntent } from '../spec/live.js';
import { actionsOf, compileTwin } from './compile.js';
import { meanOf } from './engine/workTime.js';
import type { TwinModel } from './model.js';
import { simulate } from './simulate.js';

const region = shopRegion();
const plan = planOf(region, forecastOf({ front: 400 }));
const FULL: LiveIntent = { stage: { localPercent: 100, enforceLimits: true }, adjustments: [], overrides: [] };

function compiled(intent: LiveIntent = FULL): TwinModel {
  const graph = graphOfRegion(region, {});
  if (!graph.ok) throw new Error('no graph');
  const model = compileTwin({ region, graph: graph.value, plan, intent });
  if (!model.ok) throw new Error(JSON.stringify(model.problems));
  return model.value;
}

const demand = (rps: number) => ({ entries: [{ entry: 'front', shape: 'step' as const, points: [{ atMs: 0, rps }] }] });

describe('compileTwin', () => {
  it('runs the very settings, weights and endpoints of the live mesh', () => {
    const live = liveMesh(region, plan, planHash(plan), FULL);
    const model = compiled();
    for (const one of live.services) {
      const place = model.services.find(({ name }) => name === one.service)?.places['north'];
      expect(place?.settings).toEqual(one.settings);
      expect(place?.instances).toHaveLength(one.endpoints.length);
      expect(place?.weights).toEqual({ north: 100 });
    }
    expect(model.services.map(({ time }) => meanOf(time))).toEqual([20, 20, 20]);
    expect(model.entries).toEqual([{ name: 'front', service: 'front', deadlineMs: 250, value: 1 }]);
  });

  it('serves the demand that it was planned for within the SLO, each service its share', () => {
    const { totals } = simulate({
      model: compiled(),
      demand: demand(400),
      durationMs: 20_000,
      warmUpMs: 2000,
      seed: 1,
    });
    const [front] = totals.entries;
    expect(front!.succeeded / front!.offered).toBeGreaterThan(0.99);
    const offered = new Map(
      totals.services.filter(({ region: r }) => r === 'north').map((s) => [s.service, s.offered]),
    );
    const share = (name: string): number => offered.get(name)! / offered.get('front')!;
    expect(share('cart')).toBeCloseTo(1, 1);
    // Two calls by front and one by cart.
    expect(share('stock')).toBeCloseTo(3, 1);
    const stock = totals.services.find(({ service }) => service === 'stock')!;
    expect(stock.latency.p99Ms).toBeLessThan(250);
  });

  it('before activation sends all to the neighbour, 2 ways there and back', () => {
    const before = compiled({ ...FULL, stage: { localPercent: 0, enforceLimits: false } });
    const { totals } = simulate({ model: before, demand: demand(100), durationMs: 10_000, seed: 1 });
    const front = totals.services.find(({ service, region: r }) => service === 'front' && r === 'north')!;
    expect(front.egress).toBe(front.admitted);
    expect(totals.entries[0]!.succeeded).toBeGreaterThan(900);
  });

  it('starts what is not ready, and takes another live mesh as actions', () => {
    const starting = compiled({ ...FULL, readyInstances: { front: 1, cart: 4, stock: 12 } });
    const states = starting.services[0]!.places['north']!.instances.map(({ state }) => state);
    expect(states.filter((state) => state === 'ready')).toHaveLength(1);
    const half = liveMesh(region, plan, planHash(plan), { ...FULL, stage: { localPercent: 50, enforceLimits: true } });
    const { windows } = simulate({
      model: compiled(),
      demand: demand(200),
      durationMs: 10_000,
      seed: 1,
      control: { intervalMs: 5000, onTick: ({ tick }) => (tick === 0 ? actionsOf(half) : []) },
    });
    const egress = windows.map(({ services }) => services[0]!.egress / services[0]!.admitted);
    expect(Math.max(...egress.slice(0, 5))).toBe(0);
    expect(egress[8]!).toBeCloseTo(0.5, 1);
  });
});
