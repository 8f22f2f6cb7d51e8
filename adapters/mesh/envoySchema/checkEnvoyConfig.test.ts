import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { richConfig } from '../../../bench/descriptors/richConfig.js';
import type { Mapping } from '../../../bench/descriptors/typedObjects.js';
import { isMapping } from '../../../bench/descriptors/typedObjects.js';
import { checkEnvoyConfig, checkEnvoyYaml } from './checkEnvoyConfig.js';

const CLUSTER = 'envoy.config.cluster.v3.Cluster';
const ROUTE = 'envoy.config.route.v3.Route';
const LEAST = 'envoy.extensions.load_balancing_policies.least_request.v3.LeastRequest';
const url = (name: string): string => `type.googleapis.com/${name}`;

const cluster = (change: Mapping = {}): Mapping => ({
  name: 'stock',
  type: 'STATIC',
  connect_timeout: '0.5s',
  ...change,
});
const policy = (typedConfig: unknown): Mapping =>
  cluster({
    load_balancing_policy: { policies: [{ typed_extension_config: { name: 'one', typed_config: typedConfig } }] },
  });
const POLICY = 'load_balancing_policy.policies[0].typed_extension_config.typed_config';

function camelCased(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(camelCased);
  if (!isMapping(value)) return value;
  const camel = (key: string): string =>
    /^[a-z_0-9]+$/.test(key) ? key.replace(/_([a-z0-9])/g, (_, c: string) => c.toUpperCase()) : key;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [camel(key), camelCased(item)]));
}

describe('checkEnvoyConfig', () => {
  it('finds nothing in a good configuration, whichever way its fields are written', () => {
    expect(checkEnvoyConfig(richConfig())).toEqual([]);
    expect(checkEnvoyConfig(camelCased(richConfig()))).toEqual([]);
  });

  it.each<[string, Mapping, Mapping]>([
    [
      'an unknown field',
      { conect_timeout: '1s' },
      { code: 'envoy-unknown-field', field: 'conect_timeout', fix: 'did you mean connect_timeout?' },
    ],
    [
      'a name that an enum does not have',
      { lb_policy: 'ROUND' },
      { code: 'envoy-wrong-type', field: 'lb_policy', expected: expect.stringContaining('ROUND_ROBIN') },
    ],
    ['a number that an enum does not have', { lb_policy: 99 }, { code: 'envoy-out-of-range', field: 'lb_policy' }],
    ['a number in place of a text', { name: 5 }, { code: 'envoy-wrong-type', field: 'name', expected: 'a text' }],
    [
      'a text in place of a mapping',
      { outlier_detection: 'on' },
      { code: 'envoy-wrong-type', field: 'outlier_detection' },
    ],
    [
      'a number above its range',
      { outlier_detection: { max_ejection_percent: 150 } },
      {
        code: 'envoy-out-of-range',
        field: 'outlier_detection.max_ejection_percent',
        message: 'is 150',
        expected: 'at most 100',
      },
    ],
    [
      'a fraction in place of a whole number',
      { per_connection_buffer_limit_bytes: 1.5 },
      { code: 'envoy-wrong-type', field: 'per_connection_buffer_limit_bytes', expected: 'a whole number' },
    ],
    [
      'a duration without its unit',
      { connectTimeout: '5' },
      { code: 'envoy-wrong-type', field: 'connect_timeout', expected: 'a duration such as "0.25s"' },
    ],
    [
      'a duration of nothing',
      { connect_timeout: '0s' },
      { code: 'envoy-out-of-range', field: 'connect_timeout', expected: 'more than 0s' },
    ],
    [
      'a duration of nothing in fields',
      { connect_timeout: { seconds: 0 } },
      { code: 'envoy-out-of-range', field: 'connect_timeout' },
    ],
    [
      'what is required and not there',
      { health_checks: [{ interval: '1s', unhealthy_threshold: 1, healthy_threshold: 1, tcp_health_check: {} }] },
      { code: 'envoy-missing', field: 'health_checks[0].timeout' },
    ],
    [
      'none of the alternatives',
      { health_checks: [{ timeout: '1s', interval: '1s', unhealthy_threshold: 1, healthy_threshold: 1 }] },
      { code: 'envoy-missing', field: 'health_checks[0]', expected: expect.stringContaining('http_health_check') },
    ],
    [
      'two alternatives',
      { ring_hash_lb_config: {}, maglev_lb_config: {} },
      {
        code: 'envoy-one-of',
        field: '(document)',
        message: expect.stringContaining('ring_hash_lb_config and maglev_lb_config'),
      },
    ],
    ['an empty name', { name: '' }, { code: 'envoy-out-of-range', field: 'name' }],
    [
      'a list in place of a map',
      { typed_extension_protocol_options: [] },
      { code: 'envoy-wrong-type', field: 'typed_extension_protocol_options' },
    ],
  ])('names %s', (_, change, problem) => {
    expect(checkEnvoyConfig(cluster(change), CLUSTER)).toEqual([expect.objectContaining(problem)]);
  });

  it('looks into typed configurations', () => {
    const check = (typedConfig: unknown): unknown => checkEnvoyConfig(policy(typedConfig), CLUSTER);
    expect(check({ '@type': url(LEAST), choice_count: 2 })).toEqual([]);
    expect(check({ '@type': url(LEAST), choice_count: 1 })).toMatchObject([
      { field: `${POLICY}.choice_count`, expected: 'at least 2' },
    ]);
    expect(check({ '@type': url(LEAST), choices: 2 })).toMatchObject([
      { code: 'envoy-unknown-field', field: `${POLICY}.choices` },
    ]);
    expect(check({ '@type': url('envoy.nowhere.v3.One') })).toMatchObject([{ code: 'envoy-unknown-type' }]);
    expect(check({ '@type': LEAST })).toMatchObject([{ code: 'envoy-wrong-type', field: `${POLICY}["@type"]` }]);
    expect(check({ choice_count: 2 })).toMatchObject([{ code: 'envoy-missing', field: `${POLICY}["@type"]` }]);
    expect(check({ '@type': url('some.other.build.Filter'), anything: 1 })).toEqual([]);
    const struct = { '@type': url('xds.type.v3.TypedStruct'), type_url: url(LEAST), value: { choice_count: 1 } };
    expect(check(struct)).toMatchObject([{ field: `${POLICY}.value.choice_count` }]);
  });

  it('names every problem at once', () => {
    const bad = cluster({
      name: '',
      lb_policy: 'ROUND',
      outlier_detection: { max_ejection_percent: 150, conscutive_5xx: 1 },
    });
    expect(new Set(checkEnvoyConfig(bad, CLUSTER).map((problem) => problem.field))).toEqual(
      new Set(['lb_policy', 'outlier_detection.max_ejection_percent', 'outlier_detection.conscutive_5xx', 'name']),
    );
  });

  it('gives problems and never throws, whatever stands where', () => {
    const places = ['static_resources', 'node', 'layered_runtime', 'overload_manager', 'admin', 'stats_config'];
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(...places), (value, place) => {
        expect(Array.isArray(checkEnvoyConfig({ ...richConfig(), [place]: value }))).toBe(true);
        expect(Array.isArray(checkEnvoyConfig(policy({ '@type': value, value }), CLUSTER))).toBe(true);
        expect(Array.isArray(checkEnvoyYaml(JSON.stringify(value)))).toBe(true);
      }),
      { numRuns: 300, seed: 11 },
    );
  });

  it('takes what Envoy takes', () => {
    const lenient = {
      respect_dns_ttl: 'yes',
      per_connection_buffer_limit_bytes: { value: '32768' },
      connect_timeout: { seconds: 1, nanos: 5 },
      lb_policy: 'random',
      health_checks: {
        timeout: '1s',
        interval: '1s',
        unhealthy_threshold: '1',
        healthy_threshold: 1.0,
        tcp_health_check: {},
      },
      metadata: null,
    };
    expect(checkEnvoyConfig(cluster(lenient), CLUSTER)).toEqual([]);
  });

  it('refuses what is no configuration at all', () => {
    for (const value of [null, 5, 'a', [], true]) expect(checkEnvoyConfig(value)).toHaveLength(1);
    const deep = Array.from({ length: 300 }).reduce<Mapping>((inner) => ({ and_rules: { rules: [inner] } }), {});
    const rbac = { '@type': url('envoy.config.rbac.v3.Permission'), ...deep };
    expect(checkEnvoyConfig(policy(rbac), CLUSTER)).toMatchObject([{ code: 'envoy-too-deep' }]);
    expect(() => checkEnvoyConfig({}, 'no.such.Message')).toThrow('no message no.such.Message');
  });

  it('asks the rules of texts', () => {
    const header = (key: string, value: string): Mapping => ({
      match: { prefix: '/' },
      direct_response: { status: 200 },
      request_headers_to_add: [{ header: { key, value } }],
    });
    expect(checkEnvoyConfig(header('x-one', 'a b'), ROUTE)).toEqual([]);
    expect(checkEnvoyConfig(header('', 'one'), ROUTE)).toMatchObject([
      { field: 'request_headers_to_add[0].header.key' },
    ]);
    expect(checkEnvoyConfig(header('x-one', 'a\nb'), ROUTE)).toMatchObject([
      { field: 'request_headers_to_add[0].header.value' },
    ]);
    expect(checkEnvoyConfig(header('x-one', 'x'.repeat(16_385)), ROUTE)).toMatchObject([
      { expected: '16384 bytes at most' },
    ]);
  });
});

describe('checkEnvoyYaml', () => {
  it('reads scalars as Envoy does', () => {
    const problems = (yaml: string): unknown => checkEnvoyYaml(`connect_timeout: 1s\n${yaml}`, CLUSTER);
    expect(problems('name: "no"')).toEqual([]);
    expect(problems('name: no')).toMatchObject([{ code: 'envoy-wrong-type', field: 'name', message: 'is false' }]);
    expect(problems('name: 012')).toMatchObject([{ message: 'is 10' }]);
    expect(problems('name: 1.5')).toEqual([]);
    expect(problems('name: a\nper_connection_buffer_limit_bytes: 0x10')).toEqual([]);
  });

  it('tells where the text is no YAML', () => {
    expect(checkEnvoyYaml('a: 1\nb: [')).toMatchObject([{ code: 'envoy-no-yaml', line: 2 }]);
  });
});
