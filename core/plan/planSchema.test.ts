import { describe, expect, it } from '@jest/globals';

import { planOf } from '../../test/fixtures/planned.js';
import { forecastOf, shopRegion } from '../../test/fixtures/regionSpec.js';
import type { MeshPlan, ServicePlan } from '../spec/plan.js';
import { planProblems } from './planSchema.js';

const plan = planOf(shopRegion(), forecastOf({ front: 400 }));
const [first] = plan.windows;
const [front] = first?.services ?? [];
if (first === undefined || front === undefined) throw new Error('no plan');

const withFront = (change: Partial<ServicePlan>): MeshPlan => ({
  ...plan,
  windows: [first, { from: first.to, to: '2026-01-01T06:00:00.000Z', services: [{ ...front, ...change }] }],
});
const fields = (change: Partial<ServicePlan>): readonly string[] =>
  planProblems(JSON.parse(JSON.stringify(withFront(change)))).map((problem) => problem.field);

describe('planProblems', () => {
  it('takes later windows that hold changes only, and what a window may say of a service', () => {
    expect(fields({})).toEqual([]);
    expect(
      fields({
        demand: { quantile: 'p95', rps: 1, trust: 'fair', level: 0.93 },
        endpoints: [{ address: '127.0.0.1', port: 1, zone: 'a' }],
        failover: [{ region: 'south', spareRps: 3 }],
        price: { value: 0.2, reason: 'r', inputs: { a: 1 } },
        admission: { value: 0.5, reason: 'r' },
      }),
    ).toEqual([]);
  });

  it('names what is out of range or unknown', () => {
    const at = 'windows[1].services[0]';
    expect(fields({ admission: { value: 1.5, reason: 'r' } })).toEqual([`${at}.admission.value`]);
    expect(fields({ price: { value: 1, reason: '' } })).toEqual([`${at}.price.reason`]);
    expect(fields({ failover: [{ region: 'south', spareRps: -1 }] })).toEqual([`${at}.failover[0].spareRps`]);
    expect(fields({ demand: { quantile: 'p95', rps: 1, trust: 'fair', level: 2 } })).toEqual([`${at}.demand.level`]);
    const odd = { address: '127.0.0.1', port: 1, zones: 'a' };
    expect(fields({ endpoints: [odd] })).toEqual([`${at}.endpoints[0]`]);
  });
});
