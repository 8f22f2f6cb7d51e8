import { describe, expect, it } from '@jest/globals';

import { serviceSpec, sockets } from '../../test/fixtures/regionSpec.js';
import type { ServiceSpec } from '../spec/region.js';
import { balancingSettings, lbPolicy } from './lb.js';

const spec = (change: Partial<ServiceSpec> = {}): ServiceSpec => serviceSpec({ name: 'cart', ...change });
const capacity = (change: Partial<ServiceSpec['capacity']>): ServiceSpec['capacity'] => ({
  concurrency: 4,
  serviceTimeMs: 20,
  startupSeconds: 20,
  ...change,
});

describe('lbPolicy', () => {
  const affinity = { header: 'x-user' };
  it.each<[string, Partial<ServiceSpec>, number, string]>([
    ['nothing known', {}, 100, 'LEAST_REQUEST'],
    ['affinity, few endpoints', { affinity, endpoints: sockets(1, 16) }, 2, 'RING_HASH'],
    ['affinity, many endpoints', { affinity, endpoints: sockets(1, 17) }, 2, 'MAGLEV'],
    ['affinity outranks unequal instances', { affinity, heterogeneous: true }, 2, 'RING_HASH'],
    ['unequal instances', { heterogeneous: true, capacity: capacity({ serviceTimeCv: 0.1 }) }, 100, 'LEAST_REQUEST'],
    ['uniform, many proxies', { capacity: capacity({ serviceTimeCv: 0.5 }) }, 5, 'ROUND_ROBIN'],
    ['uniform, a proxy sees enough', { capacity: capacity({ serviceTimeCv: 0.5 }) }, 4, 'LEAST_REQUEST'],
    ['not uniform', { capacity: capacity({ serviceTimeCv: 0.6 }) }, 100, 'LEAST_REQUEST'],
  ])('%s', (_, change, proxies, policy) => {
    expect(lbPolicy(spec(change), proxies).value).toBe(policy);
  });
});

describe('slow start', () => {
  const slow = (change: Partial<ServiceSpec>, instances: number, previousInstances?: number): number => {
    const previous = previousInstances === undefined ? {} : { previousInstances };
    const service = spec({ capacity: capacity({}), ...change });
    return balancingSettings({ service, proxies: 2, instances, ...previous })['lb.slowStartMs'].value;
  };

  it('spares endpoints that are added beside others, for twice their start, at most a minute', () => {
    expect(slow({}, 5, 4)).toBe(40_000);
    expect(slow({ capacity: capacity({ startupSeconds: 300 }) }, 5, 4)).toBe(60_000);
  });

  it('spares none where all are new, none is added, they start at once, or users are placed by hash', () => {
    expect(slow({}, 5)).toBe(0);
    expect(slow({}, 5, 0)).toBe(0);
    expect(slow({}, 5, 5)).toBe(0);
    expect(slow({}, 4, 5)).toBe(0);
    expect(slow({ capacity: capacity({ startupSeconds: 1 }) }, 5, 4)).toBe(0);
    expect(slow({ affinity: { cookie: 'user' } }, 5, 4)).toBe(0);
  });
});
