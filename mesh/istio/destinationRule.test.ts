import { describe, expect, it } from '@jest/globals';

import type { RegionSpec } from '../../core/spec/region.js';
import { region, specOf } from '../../test/fixtures/istioObjects.js';
import type { Change, Json } from '../../test/fixtures/istioObjects.js';

describe('DestinationRule', () => {
  const policy = (change: Change, where: RegionSpec = region): Json =>
    specOf('DestinationRule', 'cart', change, {}, where)['trafficPolicy'] as Json;
  const balancer = (change: Change): Json => policy(change)['loadBalancer'] as Json;
  const locality = (change: Change, where?: RegionSpec): Json =>
    (policy(change, where)['loadBalancer'] as Json)['localityLbSetting'] as Json;

  it.each<[string, Change, Json]>([
    [
      'weights where regions share, split over our zones',
      { weights: { north: 71, south: 29, east: 0 } },
      {
        enabled: true,
        distribute: [
          { from: '*', to: { 'north/north-a/north': 47, 'north/north-b/north': 24, 'south/south-a/south': 29 } },
        ],
      },
    ],
    [
      'weights of others alone',
      { weights: { north: 0, south: 60, east: 40 } },
      { enabled: true, distribute: [{ from: '*', to: { 'east/east-a/east': 40, 'south/south-a/south': 60 } }] },
    ],
    [
      'no zone whose part is nothing',
      { weights: { north: 1, south: 99, east: 0 } },
      { enabled: true, distribute: [{ from: '*', to: { 'north/north-a/north': 1, 'south/south-a/south': 99 } }] },
    ],
    [
      'an order where one region has all',
      {},
      { enabled: true, failoverPriority: ['psmg/within-1=in', 'psmg/within-0=in'] },
    ],
    [
      'the same before activation',
      { weights: { north: 0, south: 100, east: 0 } },
      { enabled: true, failoverPriority: ['psmg/within-1=in', 'psmg/within-0=in'] },
    ],
    [
      'only who was shown to have room',
      { failover: ['east'] },
      { enabled: true, failoverPriority: ['psmg/within-0=in'] },
    ],
    ['nothing where nobody stands by', { failover: [] }, { enabled: false }],
  ])('says %s', (_, change, expected) => {
    expect(locality(change)).toEqual(expected);
  });

  it('never splits a share over three zones to more than it is', () => {
    const endpoints = ['a', 'b', 'c'].map((zone, i) => ({ address: `10.0.0.${i}`, port: 1, zone }));
    const [share] = locality({ endpoints, weights: { north: 10, south: 90, east: 0 } })['distribute'] as Json[];
    const parts = Object.values(share?.['to'] as Record<string, number>).sort((a, b) => a - b);
    expect(parts).toEqual([3, 3, 4, 90]);
  });

  it.each<[string, Change, Json]>([
    ['LEAST_REQUEST', {}, { simple: 'LEAST_REQUEST' }],
    [
      'a slow start',
      { settings: { 'lb.policy': 'ROUND_ROBIN', 'lb.slowStartMs': 30_500 } },
      { simple: 'ROUND_ROBIN', warmup: { duration: '30.5s', minimumPercent: 10, aggression: 1 } },
    ],
    [
      'no slow start where there is none',
      { settings: { 'lb.policy': 'RANDOM', 'lb.slowStartMs': 30_500 } },
      { simple: 'RANDOM' },
    ],
    [
      'a ring by cookie',
      { affinity: { cookie: 'sid' }, settings: { 'lb.policy': 'RING_HASH' } },
      { consistentHash: { httpCookie: { name: 'sid', ttl: '0s' }, ringHash: { minimumRingSize: 1024 } } },
    ],
    [
      'a table by header',
      { affinity: { header: 'x-user' }, settings: { 'lb.policy': 'MAGLEV' } },
      { consistentHash: { httpHeaderName: 'x-user', maglev: { tableSize: 65_537 } } },
    ],
    [
      'a table by address',
      { settings: { 'lb.policy': 'MAGLEV' } },
      { consistentHash: { useSourceIp: true, maglev: { tableSize: 65_537 } } },
    ],
  ])('balances by %s', (_, change, expected) => {
    const { localityLbSetting: _unused, ...rest } = balancer(change);
    expect(rest).toEqual(expected);
  });

  it('states every limit, what ejects and what may be repeated', () => {
    expect(policy({})).toMatchObject({
      connectionPool: {
        tcp: { maxConnections: 80, connectTimeout: '0.33s' },
        http: { http1MaxPendingRequests: 40, http2MaxRequests: 41, maxRetries: 6, idleTimeout: '4s' },
      },
      outlierDetection: {
        consecutive5xxErrors: 5,
        consecutiveGatewayErrors: 0,
        interval: '1s',
        baseEjectionTime: '10s',
        maxEjectionPercent: 50,
        minHealthPercent: 0,
      },
      retryBudget: { percent: 14.4, minRetryConcurrency: 6 },
    });
  });

  it('says 1 where Istio would read 0 as a default of its own', () => {
    const zeros = { settings: { 'outlier.maxEjectionPercent': 0, 'retry.minConcurrency': 0 } };
    expect(policy(zeros)).toMatchObject({
      outlierDetection: { maxEjectionPercent: 1 },
      retryBudget: { minRetryConcurrency: 1 },
      connectionPool: { http: { maxRetries: 1 } },
    });
  });

  it('limits connections of bytes alone, and speaks of TLS only with files of its own', () => {
    expect(Object.keys(policy({ protocol: 'tcp' })['connectionPool'] as Json)).toEqual(['tcp']);
    expect(policy({ protocol: 'tcp' })['retryBudget']).toBeUndefined();
    expect(policy({})['tls']).toBeUndefined();
    const files = { certificateFile: '/c.pem', privateKeyFile: '/k.pem', caFile: '/ca.pem' };
    expect(policy({}, { ...region, tls: { mesh: files } })['tls']).toEqual({
      mode: 'MUTUAL',
      clientCertificate: '/c.pem',
      privateKey: '/k.pem',
      caCertificates: '/ca.pem',
    });
  });
});
