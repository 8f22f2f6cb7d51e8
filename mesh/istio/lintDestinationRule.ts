import type { Problem } from '../../core/spec/problem.js';
import type { Named } from './lint.js';
import { list, record } from './objects.js';
import type { Json, ReadObject } from './objects.js';

const POLICY = ['spec', 'trafficPolicy'] as const;
const LOCALITY = [...POLICY, 'loadBalancer', 'localityLbSetting'] as const;

/** ISTIO004 to ISTIO008, ISTIO010, ISTIO015, and a host that nobody declares. */
export function lintDestinationRule(rule: ReadObject, named: Named): Problem[] {
  const policy = record(rule.spec['trafficPolicy']);
  const host = String(rule.spec['host']);
  const entry = named.hosts.get(host);
  const missing = rule.problem('ISTIO011', ['spec', 'host'], `${host} is no host of a ServiceEntry`);
  return [
    ...(entry === undefined ? [missing] : []),
    ...lintLocalities(rule, policy, entry?.localities ?? []),
    ...lintBreakers(rule, record(policy['connectionPool']), isBytes(rule, named)),
    ...lintPanic(rule, policy),
  ];
}

function lintLocalities(rule: ReadObject, policy: Json, localities: readonly string[]): Problem[] {
  const setting = record(record(policy['loadBalancer'])['localityLbSetting']);
  const shares = list(setting['distribute']);
  const fails = list(setting['failover']).length > 0 || Array.isArray(setting['failoverPriority']);
  const both = shares.length > 0 && fails;
  const ejects = record(policy['outlierDetection'])['consecutive5xxErrors'] !== undefined;
  return [
    ...(both
      ? [rule.problem('ISTIO005', LOCALITY, 'has weights and failover: Istio would take the weights alone')]
      : []),
    ...((shares.length > 0 || fails) && !ejects
      ? [rule.problem('ISTIO007', POLICY, 'balances by locality, but never takes out an endpoint that fails')]
      : []),
    ...shares.flatMap((share, i) =>
      lintShare(rule, [...LOCALITY, 'distribute', i, 'to'], record(share['to']), localities),
    ),
  ];
}

function lintShare(
  rule: ReadObject,
  path: readonly (string | number)[],
  to: Json,
  localities: readonly string[],
): Problem[] {
  const weights = Object.values(to).map(Number);
  const sum = weights.reduce((total, weight) => total + weight, 0);
  const wrong = sum !== 100 || weights.some((weight) => weight < 0 || !Number.isInteger(weight));
  return [
    ...(wrong ? [rule.problem('ISTIO004', path, `sums to ${sum}`, { expected: 'whole percents, together 100' })] : []),
    ...Object.keys(to).flatMap((place) => {
      const wildcard = place.includes('*') || place.split('/').length < 3;
      if (wildcard) return [rule.problem('ISTIO015', [...path, place], 'is split over its zones by rounding up')];
      if (localities.includes(place)) return [];
      return [rule.problem('ISTIO006', [...path, place], 'gets requests, but has no endpoint')];
    }),
  ];
}

function lintBreakers(rule: ReadObject, pool: Json, bytes: boolean): Problem[] {
  const wanted: [string, string][] = bytes
    ? [['tcp', 'maxConnections']]
    : [
        ['tcp', 'maxConnections'],
        ['http', 'http1MaxPendingRequests'],
        ['http', 'http2MaxRequests'],
        ['http', 'maxRetries'],
      ];
  return wanted.flatMap(([part, field]) => {
    const value = record(pool[part])[field];
    if (typeof value === 'number' && value > 0 && value < 2 ** 31 - 1) return [];
    return [rule.problem('ISTIO008', [...POLICY, 'connectionPool', part, field], 'is not stated: Istio takes 2³² − 1')];
  });
}

/** Panic sends requests to endpoints that are known to be down. */
function lintPanic(rule: ReadObject, policy: Json): Problem[] {
  const outlier = policy['outlierDetection'];
  if (outlier !== undefined && record(outlier)['minHealthPercent'] === 0) return [];
  return [rule.problem('ISTIO010', [...POLICY, 'outlierDetection', 'minHealthPercent'], 'is not stated as 0')];
}

function isBytes(rule: ReadObject, named: Named): boolean {
  return named.byteHosts.has(String(rule.spec['host']));
}
