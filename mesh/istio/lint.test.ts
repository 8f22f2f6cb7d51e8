import { describe, expect, it } from '@jest/globals';

import type { FileSet } from '../../core/spec/artifact.js';
import type { LiveMesh } from '../../core/spec/live.js';
import type { RegionSpec } from '../../core/spec/region.js';
import { readIstioFixture } from '../../test/fixtures/istio.js';
import { istioChecker } from './check.js';
import { lintIstio } from './lint.js';
import { ISTIO_FILES } from './names.js';
import { renderIstio } from './render.js';

const region = readIstioFixture('region') as RegionSpec;
const calls = readIstioFixture('calls') as Record<string, Record<string, number>>;
const shared = renderIstio(readIstioFixture('shared.live') as LiveMesh, region, { calls });

type Edit = readonly [from: string | RegExp, to: string];

/** The files with one text replaced; throws when it is not there, so that no case tests nothing. */
function edited(files: FileSet, file: keyof typeof ISTIO_FILES, [from, to]: Edit): FileSet {
  const path = ISTIO_FILES[file];
  const before = files[path] ?? '';
  const after = before.replace(from, to);
  if (after === before) throw new Error(`${String(from)} is not in ${path}`);
  return { ...files, [path]: after };
}

const checkIstio = istioChecker();

const found = (files: FileSet): string[] => [...checkIstio(files), ...lintIstio(files)].map(({ code }) => code);

describe('checkIstio and lintIstio', () => {
  it('find nothing in what is rendered', () => {
    expect(found(shared)).toEqual([]);
    expect(found(renderIstio(readIstioFixture('failover.live') as LiveMesh, region))).toEqual([]);
  });

  it.each<[string, string, keyof typeof ISTIO_FILES, Edit]>([
    ['ISTIO001', 'no YAML', 'gateway', ['spec:', 'spec: {']],
    ['ISTIO001', 'no object', 'gateway', [/[^]*/, '- a list\n']],
    ['ISTIO002', 'a version that there is not', 'gateway', ['istio.io/v1', 'istio.io/v9']],
    ['ISTIO003', 'an unknown field', 'destinationRules', ['maxConnections', 'maxConnection']],
    ['ISTIO003', 'an unknown policy', 'destinationRules', ['LEAST_REQUEST', 'LEAST_REQUESTS']],
    ['ISTIO003', 'a name that Istio reads as false', 'serviceEntries', ['app: cart', 'app: no']],
    ['ISTIO004', 'weights beyond 100', 'destinationRules', [/(south-a\/south): \d+/, '$1: 90']],
    ['ISTIO004', 'a negative weight', 'destinationRules', [/(south-a\/south): \d+/, '$1: -3']],
    ['ISTIO004', 'weights of a route', 'virtualServices', [/( +)(- destination:)/, '$1- weight: 90\n$1  destination:']],
    [
      'ISTIO005',
      'weights and failover',
      'destinationRules',
      [/( +)distribute:/, '$1failover: [{from: a, to: b}]\n$1distribute:'],
    ],
    ['ISTIO006', 'weight for nobody', 'destinationRules', ['south/south-a/south', 'west/west-a/west']],
    ['ISTIO007', 'no ejection', 'destinationRules', [/ +consecutive5xxErrors: .*\n/, '']],
    ['ISTIO008', 'an unlimited breaker', 'destinationRules', [/ +http2MaxRequests: .*\n/, '']],
    ['ISTIO008', 'a breaker of 0', 'destinationRules', [/(maxConnections): \d+/, '$1: 0']],
    ['ISTIO008', 'an unlimited callee', 'sidecars', [/(http2MaxRequests): \d+/, '$1: 0']],
    ['ISTIO009', 'unstated retries', 'virtualServices', [/ +retries:\n(?: {8}.*\n)+/, '']],
    ['ISTIO009', 'negative retries', 'virtualServices', [/attempts: \d+/, 'attempts: -2']],
    ['ISTIO010', 'panic', 'destinationRules', [/ +minHealthPercent: .*\n/, '']],
    ['ISTIO011', 'a route to nobody', 'virtualServices', ['host: front', 'host: back']],
    ['ISTIO011', 'a route to no port', 'virtualServices', ['number: 80', 'number: 81']],
    ['ISTIO011', 'no such gateway', 'virtualServices', ['default/psmg-edge', 'default/other']],
    ['ISTIO011', 'a callee that there is not', 'sidecars', ['./stock.', './stack.']],
    [
      'ISTIO012',
      'a subset that there is not',
      'virtualServices',
      [/( +)(host: front.*\n +port)/, '$1subset: v9\n$1$2'],
    ],
    ['ISTIO013', 'a host claimed twice', 'serviceEntries', ['- cart.default', '- front.default']],
    ['ISTIO014', 'a filter for nobody', 'envoyFilters', ['app: cart', 'app: card']],
    ['ISTIO014', 'a filter for no route', 'envoyFilters', ['name: front', 'name: back']],
    ['ISTIO015', 'a share that Istio splits', 'destinationRules', ['south/south-a/south', 'south/*']],
  ])('%s: %s', (code, _, file, edit) => {
    expect(found(edited(shared, file, edit))).toContain(code);
  });

  it('ISTIO013: two services of bytes at one port, and a port of the edge opened twice', () => {
    const live = readIstioFixture('failover.live') as LiveMesh;
    const bytes = live.services.map((one) => ({
      ...one,
      protocol: 'tcp' as const,
      endpoints: [{ address: '10.0.0.1', port: 5432 }],
    }));
    expect(found(renderIstio({ ...live, services: bytes }, region))).toEqual(['ISTIO013', 'ISTIO013']);
    const gateway = shared[ISTIO_FILES.gateway] ?? '';
    expect(found({ ...shared, 'other.yaml': gateway.replace('name: psmg-edge', 'name: other') })).toEqual(['ISTIO013']);
  });

  it('say where: file, line and field', () => {
    const files = edited(shared, 'destinationRules', [/(south-a\/south): \d+/, '$1: 90']);
    const line = (files[ISTIO_FILES.destinationRules] ?? '').split('\n').findIndex((text) => text.includes(' to:')) + 2;
    expect(lintIstio(files)).toEqual([
      {
        code: 'ISTIO004',
        file: 'destination-rules.yaml',
        line,
        field: 'DestinationRule cart: spec.trafficPolicy.loadBalancer.localityLbSetting.distribute[0].to',
        message: expect.stringMatching(/^sums to 1\d\d$/),
        expected: 'whole percents, together 100',
      },
    ]);
    const [unknown] = checkIstio(edited(shared, 'sidecars', ['workloadSelector', 'workloadSelect']));
    expect(unknown).toMatchObject({ line: 12, field: 'Sidecar cart: spec.workloadSelect' });
  });
});
