import { describe, expect, it } from '@jest/globals';

import { SETTING_FIELDS } from '../../spec/settings.js';
import { place, service } from '../fixtures.js';
import type { TwinModel } from '../model.js';
import { PEERS } from './all.js';
import { demandOf, run, threeRegions } from './fixtures.js';
import { UNLIMITED } from './istioModel.js';

/** With limits, weights and room to grow of our own, and a callee. */
function planned(): TwinModel {
  const model = threeRegions();
  const [a] = model.services;
  const settings = { 'rateLimit.rps': 5, 'rateLimit.burst': 5, 'breaker.maxRequests': 2, 'inbound.maxRequests': 1 };
  const ours = { instances: 2, workers: 8, settings };
  const b = service('b', { kind: 'exponential', meanMs: 5 }, ours, { holdsWorker: false });
  const change = { maxInstances: 4, behindInbound: true, weights: { here: 50, near: 50 } };
  const calls = [[{ service: 'b', callsPerRequest: 1 }]];
  return {
    ...model,
    services: [
      { ...a!, stages: calls, places: { ...a!.places, here: place('here', { ...ours, change }) } },
      { ...b, places: { ...b.places, near: place('near'), far: place('far') } },
    ],
  };
}

const demand = demandOf({ users: 900 });

describe.each(PEERS.map((policy) => [policy.name, policy] as const))('%s', (_, policy) => {
  it('has a grid of up to six sets of the same names', () => {
    expect(policy.grid.length).toBeGreaterThan(0);
    expect(policy.grid.length).toBeLessThanOrEqual(6);
    for (const params of policy.grid) expect(Object.keys(params)).toEqual(Object.keys(policy.grid[0]!));
    expect(new Set(policy.grid.map((params) => JSON.stringify(params))).size).toBe(policy.grid.length);
  });

  it('gives the same bytes for the same input, also in between of other runs, and leaves its input alone', () => {
    const model = planned();
    const before = JSON.stringify(model);
    // Long enough for whatever acts by the tick.
    const { control } = policy.create({ model, seed: 1, params: policy.grid[0]! });
    const durationMs = Math.max(2000, 1.1 * (control?.intervalMs ?? 0));
    const once = (params = policy.grid[0]!): string =>
      JSON.stringify(run(policy, { model, demand, durationMs, params }));
    const first = once();
    once(policy.grid.at(-1)!);
    expect(once()).toBe(first);
    expect(JSON.stringify(model)).toBe(before);
  });

  it('runs our region without our limits and weights, and neighbours as they are, under every set', () => {
    const model = planned();
    for (const params of policy.grid) {
      const made = policy.create({ model, seed: 1, params });
      for (const { name, places } of made.model.services) {
        const { settings, weights, behindInbound } = places['here']!;
        expect(settings['rateLimit.rps']).toBe(UNLIMITED);
        expect(settings['breaker.maxRequests']).toBe(UNLIMITED);
        expect(settings['inbound.maxRequests']).toBe(UNLIMITED);
        expect(Object.keys(settings).sort()).toEqual(Object.keys(SETTING_FIELDS).sort());
        expect(weights).toEqual({ here: 100 });
        expect(behindInbound).toBe(false);
        expect(places['near']).toEqual(model.services.find((one) => one.name === name)!.places['near']);
      }
    }
  });
});

it('names each once', () => {
  const names = PEERS.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  expect(names).toHaveLength(9);
});
