import { describe, expect, it } from '@jest/globals';

import { hostSpec } from '../../test/fixtures/regionSpec.js';
import { statedTimes } from './calibration.js';
import { liveSetUp, placedOf } from './realMesh.js';
import { SET_UPS } from './setUps.js';
import type { SetUp } from './setUps.js';
import { modelOf, twinFigures } from './twinRun.js';
import type { TwinModel } from '../../core/simulate/model.js';

function modelFor(setUp: SetUp): TwinModel {
  const hosts = Array.from({ length: setUp.proxies }, (_, i) => ({ host: hostSpec({ name: `edge-${i + 1}` }) }));
  return modelOf(setUp, liveSetUp(setUp, placedOf(setUp, 20_000, hosts).region), statedTimes(setUp, 1));
}

describe.each(SET_UPS.map((setUp) => [setUp.name, setUp] as const))('%s in the twin', (_, setUp) => {
  const model = modelFor(setUp);
  const run = (times: number, seed = 1): ReturnType<typeof twinFigures> =>
    twinFigures(model, {
      points: [{ atMs: 0, rps: times * setUp.capacityRps }],
      durationMs: 64_000,
      warmUpMs: 4000,
      seed,
    });

  it('runs under what the set-up states of its settings', () => {
    for (const one of setUp.services) {
      const place = model.services.find(({ name }) => name === one.name)?.places['north'];
      expect(place?.settings).toMatchObject(one.settings);
      expect(place?.instances).toHaveLength(one.instances);
    }
  });

  it('takes what its capacity is said to be, and no more', () => {
    const { goodputRps, errorPercent, offeredRps } = run(2);
    expect(goodputRps).toBeGreaterThan(0.8 * setUp.capacityRps);
    expect(goodputRps).toBeLessThan(1.07 * setUp.capacityRps);
    expect(goodputRps).toBeLessThanOrEqual(offeredRps * (1 - errorPercent / 100) + 1);
    expect(errorPercent).toBeGreaterThan(40);
  });

  it('fails little below capacity, and gives the same figures for the same seed', () => {
    expect(run(0.5).errorPercent).toBeLessThan(3);
    expect(run(0.5)).toEqual(run(0.5));
    expect(run(0.5, 2)).not.toEqual(run(0.5));
  });
});

it('set-ups have a port for everything, and what stands behind doors is asked there', () => {
  for (const setUp of SET_UPS) {
    const { apps, region } = placedOf(setUp, 20_000, []);
    const own = Object.values(apps).flatMap((sockets) => sockets.map(({ port }) => port));
    expect(new Set(own).size).toBe(setUp.services.reduce((sum, { instances }) => sum + instances, 0));
    for (const { name, behindInbound } of setUp.services) {
      const asked = region.services.find((one) => one.name === name)?.endpoints.map(({ port }) => port) ?? [];
      expect(asked.filter((port) => own.includes(port))).toEqual(behindInbound === true ? [] : asked);
    }
  }
});
