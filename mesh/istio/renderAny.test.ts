import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { SETTING_FIELDS } from '../../core/spec/settings.js';
import type { ServiceSettings } from '../../core/spec/settings.js';
import { mesh, region } from '../../test/fixtures/istioObjects.js';
import { hostSpec } from '../../test/fixtures/regionSpec.js';
import { istioChecker } from './check.js';
import { lintIstio } from './lint.js';
import { renderIstio } from './render.js';

const checkIstio = istioChecker();

describe('renderIstio of any mesh', () => {
  const regions = ['north', 'south', 'east'];
  const settings = fc.record(
    Object.fromEntries(
      Object.entries(SETTING_FIELDS).map(([field, { min = 0, max = 1, oneOf, integer }]) => {
        if (oneOf !== undefined) return [field, fc.constantFrom(...oneOf)];
        return [field, integer === true ? fc.integer({ min, max }) : fc.double({ min, max, noNaN: true })];
      }),
    ),
  ) as unknown as fc.Arbitrary<ServiceSettings>;
  const weights = fc.tuple(fc.nat(100), fc.nat(100), fc.nat(2)).map(([a, b, first]) => {
    const [low, high] = a < b ? [a, b] : [b, a];
    const parts = [low, high - low, 100 - high];
    return Object.fromEntries(regions.map((name, i) => [name, parts[(i + first) % 3] ?? 0]));
  });
  const services = fc.array(
    fc.record({
      settings,
      weights,
      zones: fc.array(fc.constantFrom('north-a', 'north-b', 'north-c'), { minLength: 1, maxLength: 5 }),
      protocol: fc.constantFrom('http', 'http2', 'grpc', 'websocket', 'tcp'),
      entryPathPrefix: fc.option(fc.constantFrom('/', '/a', '/a/b/'), { nil: undefined }),
      affinity: fc.constantFrom(undefined, { cookie: 'sid' }, { header: 'x-user' }),
      failover: fc.constantFrom(undefined, [], ['east'], ['east', 'south']),
      idempotent: fc.boolean(),
      reason: fc.string(),
    }),
    { minLength: 1, maxLength: 4 },
  );
  const live = services.map((list) =>
    mesh(
      ...list.map(({ zones, entryPathPrefix, affinity, failover, reason, protocol, ...rest }, i) => ({
        ...rest,
        service: `s${i}`,
        healthPath: '/',
        protocol: protocol as 'http',
        endpoints: zones.map((zone, k) => ({ address: `10.0.${i}.${k}`, port: 9000 + i, zone })),
        reasons: Object.fromEntries(Object.keys(SETTING_FIELDS).map((field) => [field, reason])),
        ...(entryPathPrefix === undefined ? {} : { entryPathPrefix: `${entryPathPrefix}${i === 0 ? '' : `x${i}`}` }),
        ...(affinity === undefined ? {} : { affinity }),
        ...(failover === undefined ? {} : { failover }),
      })),
    ),
  );

  it('gives objects that Istio knows and the lint finds nothing in, whatever the mesh', () => {
    const where = { ...region, delivery: { ...region.delivery, hosts: [hostSpec({ name: 'edge-1' })] } };
    fc.assert(
      fc.property(live, (one) => {
        const files = renderIstio(one, where, { calls: { s0: { s1: 1 } } });
        expect([...checkIstio(files), ...lintIstio(files)]).toEqual([]);
      }),
      { numRuns: 25 },
    );
  });

  it('gives the same bytes whatever the order of the services', () => {
    fc.assert(
      fc.property(live, (one) => {
        const turned = { ...one, services: [...one.services].reverse() };
        expect(renderIstio(turned, region)).toEqual(renderIstio(one, region));
      }),
      { numRuns: 25 },
    );
  });
});
