import { describe, expect, it } from '@jest/globals';

import { planOf } from '../../test/fixtures/planned.js';
import { forecastOf, neighbourSpec, shopRegion } from '../../test/fixtures/regionSpec.js';
import type { NeighbourSpec } from '../spec/region.js';
import { receiverShortfalls } from './receivers.js';

/** Of the shop at 400 rps at its door, so that `stock` is asked 1,200 times a second. */
const DEMAND = forecastOf({ front: 400 });
const plan = planOf(shopRegion(), DEMAND);

function shortfalls(...neighbours: NeighbourSpec[]): ReturnType<typeof receiverShortfalls> {
  return receiverShortfalls(shopRegion({ neighbours }), plan);
}

describe('receiverShortfalls', () => {
  it('finds none where the neighbour has room for every service', () => {
    expect(shortfalls(neighbourSpec({}))).toEqual([]);
  });

  it('names each service that the neighbour has too little room for, with both numbers', () => {
    const found = shortfalls(neighbourSpec({ spareRps: { front: 300, cart: 600, stock: 1000.04 } }));
    expect(found).toEqual([
      { service: 'front', region: 'south', wantedRps: 400, spareRps: 300 },
      { service: 'stock', region: 'south', wantedRps: 1200, spareRps: 1000 },
    ]);
  });

  it('names the region itself for what nobody else answers', () => {
    const found = shortfalls(neighbourSpec({ spareRps: { front: 600, cart: 600 } }));
    expect(found).toEqual([{ service: 'stock', region: 'north', wantedRps: 1200, spareRps: 0 }]);
    expect(shortfalls().map(({ service, region }) => `${service} ${region}`)).toEqual(
      ['front', 'cart', 'stock'].map((service) => `${service} north`),
    );
  });

  it('reckons with all neighbours together, and what is left over is the nearest one’s', () => {
    const south = neighbourSpec({ spareRps: { front: 300, cart: 300, stock: 900 } });
    const rest = { name: 'east', networkLatencyMs: 40, locality: { region: 'east', zone: 'east-a' } };
    const planned = planOf(shopRegion({ neighbours: [south, neighbourSpec(rest)] }), DEMAND);
    const found = (spareRps: NeighbourSpec['spareRps']): ReturnType<typeof receiverShortfalls> =>
      receiverShortfalls(shopRegion({ neighbours: [south, neighbourSpec({ ...rest, spareRps })] }), planned);
    expect(found({ front: 100, cart: 100, stock: 300 })).toEqual([]);
    expect(found({ front: 60, cart: 100, stock: 300 })).toEqual([
      { service: 'front', region: 'south', wantedRps: 340, spareRps: 300 },
    ]);
  });

  it('counts what the neighbour gets by today’s weights once: its room is for all that comes from here', () => {
    const half = planOf(shopRegion(), DEMAND);
    const weighted = {
      ...half,
      windows: half.windows.map((window) => ({
        ...window,
        services: window.services.map((one) => ({
          ...one,
          weights: { north: { value: 60, reason: '' }, south: { value: 40, reason: '' } },
        })),
      })),
    };
    const region = shopRegion({ neighbours: [neighbourSpec({ spareRps: { front: 400, cart: 400, stock: 1200 } })] });
    expect(receiverShortfalls(region, weighted)).toEqual([]);
  });

  it('goes by the demand of the window that runs', () => {
    const [first] = plan.windows;
    if (first === undefined) throw new Error('no window');
    const busy = first.services
      .filter(({ service }) => service === 'front')
      .map((one) => ({ ...one, demand: { ...one.demand, rps: 700 } }));
    const at = '2030-01-01T00:00:00.000Z';
    const windows = [first, { from: at, to: '2030-01-01T01:00:00.000Z', services: busy }];
    expect(receiverShortfalls(shopRegion(), { ...plan, windows })).toEqual([]);
    expect(receiverShortfalls(shopRegion(), { ...plan, windows }, at)).toEqual([
      { service: 'front', region: 'south', wantedRps: 700, spareRps: 600 },
    ]);
  });
});
