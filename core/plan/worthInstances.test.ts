import { describe, expect, it } from '@jest/globals';
import { forecastOf, serviceSpec, shopRegion, sockets } from '../../test/fixtures/regionSpec.js';
import { planOf } from '../../test/fixtures/planned.js';
import type { RegionSpec } from '../spec/region.js';
import { worthInstances } from './worthInstances.js';

const service = serviceSpec({
  name: 'front',
  entry: { pathPrefix: '/' },
  endpoints: sockets(9000, 60),
  capacity: { concurrency: 1, serviceTimeMs: 20, startupSeconds: 1 },
  slo: { p99Ms: 400, maxErrorRate: 0.01 },
});
const costs = { shortagePerRequest: 0.01, idlePerInstanceHour: 0.5, perSecondOfWait: 0.001 };
const asked = { service, needed: 10, most: 60, typicalRps: 400, perInstanceRps: 40, costs };

describe('worthInstances', () => {
  it('adds while the last one saves more than it costs, and stops there', () => {
    const found = worthInstances(asked);
    expect(found?.count).toBeGreaterThan(10);
    expect(found?.savesPerHour).toBeGreaterThan(0.5);
    expect(worthInstances({ ...asked, needed: found?.count ?? 0 })).toBeUndefined();
  });

  it('adds more where waiting costs more and fewer where instances do, never beyond the endpoints', () => {
    const count = (over: Partial<typeof costs>): number =>
      worthInstances({ ...asked, costs: { ...costs, ...over } })?.count ?? asked.needed;
    expect(count({ perSecondOfWait: 0.01 })).toBeGreaterThan(count({}));
    expect(count({ idlePerInstanceHour: 50 })).toBeLessThan(count({}));
    expect(count({ perSecondOfWait: 1000 })).toBeLessThanOrEqual(60);
  });

  it('adds none without costs, without demand, or where nobody waits', () => {
    expect(worthInstances({ ...asked, costs: undefined })).toBeUndefined();
    expect(worthInstances({ ...asked, typicalRps: 0 })).toBeUndefined();
    expect(worthInstances({ ...asked, typicalRps: 5 })).toBeUndefined();
  });
});

describe('a plan whose waiting costs', () => {
  const region = (over: Partial<RegionSpec> = {}): RegionSpec =>
    shopRegion({ services: [service], graph: {}, neighbours: [], costs, ...over });
  const front = (of: RegionSpec): { count: number; reason: string; binding: unknown } => {
    const instances = planOf(of, forecastOf({ front: 400 })).windows[0]?.services[0]?.instances;
    return { count: instances?.value ?? 0, reason: instances?.reason ?? '', binding: instances?.inputs?.['binding'] };
  };

  it('has more instances, and says what they save', () => {
    const cheap = front(region({ costs: { ...costs, perSecondOfWait: 0 } }));
    const dear = front(region({ costs: { ...costs, perSecondOfWait: 0.1 } }));
    expect(dear.count).toBeGreaterThan(cheap.count);
    expect(dear).toMatchObject({
      binding: 'price',
      reason: expect.stringContaining('save more waiting than they cost'),
    });
    expect(cheap.reason).not.toContain('save more');
  });
});
