import { expect, it } from '@jest/globals';

import { meanOf } from '../../core/simulate/engine/workTime.js';
import { simulate } from '../../core/simulate/simulate.js';
import { plannedTwin, steadyDemand } from './apps.js';
import { exampleApp } from './matrix.js';
import { perturbed } from './perturbed.js';
import { steadyForecast } from './scenarios.js';

it('serves what it is planned for, with the calls of the graph and about as many a second as asked', async () => {
  const app = await exampleApp('hotel-reservation', 600);
  const model = plannedTwin(app, steadyForecast(app, app.peakRps));
  const demand = steadyDemand(app.entries, app.peakRps);
  const { totals, serviceCalls } = simulate({ model, demand, durationMs: 30_000, warmUpMs: 5000, seed: 1 });
  const [entry] = totals.entries;
  expect(entry!.withinDeadline / entry!.offered).toBeGreaterThan(0.98);
  expect(Math.abs(serviceCalls / 30 / 600 - 1)).toBeLessThan(0.1);
  for (const { name, places } of model.services) {
    const place = places[app.name]!;
    expect(place.behindInbound).toBe(true);
    expect({ name, isMore: (place.maxInstances ?? 0) > place.instances.length }).toEqual({ name, isMore: true });
  }
});

it('is perturbed by no more than ±30 % in times and ±20 % in calls, by seed', async () => {
  const app = await exampleApp('online-boutique', 300);
  const model = plannedTwin(app, steadyForecast(app, app.peakRps));
  const other = perturbed(model, 5);
  expect(perturbed(model, 5)).toEqual(other);
  const ratios = model.services.map((service, i) => meanOf(other.services[i]!.time) / meanOf(service.time));
  expect(Math.min(...ratios)).toBeGreaterThanOrEqual(0.7);
  expect(Math.max(...ratios)).toBeLessThanOrEqual(1.3);
  expect(Math.max(...ratios) - Math.min(...ratios)).toBeGreaterThan(0.2);
  model.services.forEach(({ stages }, i) => {
    stages.flat().forEach((call, k) => {
      const ratio = other.services[i]!.stages.flat()[k]!.callsPerRequest / call.callsPerRequest;
      expect(Math.abs(ratio - 1)).toBeLessThanOrEqual(0.2 + 1e-9);
    });
  });
});
