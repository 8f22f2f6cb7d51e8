import type { Problem } from '../../core/spec/problem.js';
import type { Named } from './lint.js';
import { list, record, texts } from './objects.js';
import type { Json, ReadObject } from './objects.js';

type Path = readonly (string | number)[];

/** ISTIO004, ISTIO009, ISTIO011, ISTIO012 of routes. */
export function lintVirtualService(service: ReadObject, named: Named): Problem[] {
  const gateways = texts(service.spec['gateways']).flatMap((name, i) => {
    if (name === 'mesh' || named.gateways.has(name.includes('/') ? name : `${service.namespace}/${name}`)) return [];
    return [service.problem('ISTIO011', ['spec', 'gateways', i], `${name} is no Gateway`)];
  });
  return [
    ...gateways,
    ...list(service.spec['http']).flatMap((route, i) => lintRoute(service, ['spec', 'http', i], route, named)),
  ];
}

function lintRoute(service: ReadObject, path: Path, route: Json, named: Named): Problem[] {
  const destinations = list(route['route']);
  const weights = destinations.map((one) => Number(one['weight'] ?? (destinations.length === 1 ? 100 : 0)));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  const unsound = destinations.length > 0 && (sum !== 100 || weights.some((weight) => weight < 0));
  const attempts = record(route['retries'])['attempts'];
  const silent = destinations.length > 0 && !(typeof attempts === 'number' && attempts >= 0);
  return [
    ...(unsound ? [service.problem('ISTIO004', [...path, 'route'], `weights sum to ${sum}`, { expected: '100' })] : []),
    ...(silent ? [service.problem('ISTIO009', [...path, 'retries'], 'is no stated number: Istio repeats twice')] : []),
    ...destinations.flatMap((one, i) =>
      lintDestination(service, [...path, 'route', i], record(one['destination']), named),
    ),
  ];
}

function lintDestination(service: ReadObject, path: Path, destination: Json, named: Named): Problem[] {
  const host = String(destination['host']);
  const entry = named.hosts.get(host);
  const at = [...path, 'destination'];
  if (entry === undefined)
    return [service.problem('ISTIO011', [...at, 'host'], `${host} is no host of a ServiceEntry`)];
  const port = record(destination['port'])['number'];
  const subset = destination['subset'];
  return [
    ...(port === undefined || entry.ports.includes(Number(port))
      ? []
      : [service.problem('ISTIO011', [...at, 'port'], `${host} has no port ${String(port)}`)]),
    ...(subset === undefined || named.subsets.get(host)?.has(String(subset)) === true
      ? []
      : [service.problem('ISTIO012', [...at, 'subset'], `${String(subset)} is defined by no DestinationRule`)]),
  ];
}

/** ISTIO011 of what a sidecar is told of, ISTIO008 of what it lets in. */
export function lintSidecar(sidecar: ReadObject, named: Named): Problem[] {
  const egress = list(sidecar.spec['egress']).flatMap((one, i) =>
    texts(one['hosts']).flatMap((text, k) => {
      const host = text.slice(text.indexOf('/') + 1);
      if (host.includes('*') || named.hosts.has(host)) return [];
      return [sidecar.problem('ISTIO011', ['spec', 'egress', i, 'hosts', k], `${host} is no host of a ServiceEntry`)];
    }),
  );
  const pool = record(sidecar.spec['inboundConnectionPool']);
  const limit = record(pool['http'])['http2MaxRequests'] ?? record(pool['tcp'])['maxConnections'];
  if (typeof limit === 'number' && limit > 0) return egress;
  return [
    ...egress,
    sidecar.problem('ISTIO008', ['spec', 'inboundConnectionPool'], 'is not stated: anything is let in'),
  ];
}

/** ISTIO014: Istio says nothing of a filter that meets nobody. */
export function lintEnvoyFilter(filter: ReadObject, named: Named): Problem[] {
  const labels = Object.entries(record(record(filter.spec['workloadSelector'])['labels']));
  const met = named.workloads.some((workload) => labels.every(([key, value]) => workload[key] === value));
  const nobody = filter.problem('ISTIO014', ['spec', 'workloadSelector'], 'no workload or gateway has these labels');
  const routes = list(filter.spec['configPatches']).flatMap((patch, i) => {
    const match = record(patch['match']);
    const name = record(record(record(match['routeConfiguration'])['vhost'])['route'])['name'];
    if (name === undefined || match['context'] !== 'GATEWAY' || named.edgeRoutes.has(String(name))) return [];
    return [
      filter.problem('ISTIO014', ['spec', 'configPatches', i, 'match'], `no gateway has a route ${String(name)}`),
    ];
  });
  return [...(met ? [] : [nobody]), ...routes];
}

/** ISTIO013: Istio takes one of two claims, and which is its own affair. */
export function lintHosts(objects: readonly ReadObject[]): Problem[] {
  const claims = objects.flatMap((object): { of: ReadObject; claim: string; path: Path }[] => {
    const { kind, spec } = object;
    if (kind === 'DestinationRule')
      return [{ of: object, claim: `rule of ${String(spec['host'])}`, path: ['spec', 'host'] }];
    if (kind === 'VirtualService' && (spec['gateways'] === undefined || texts(spec['gateways']).includes('mesh')))
      return texts(spec['hosts']).map((host, i) => ({
        of: object,
        claim: `route to ${host}`,
        path: ['spec', 'hosts', i],
      }));
    if (kind !== 'ServiceEntry') return [];
    const hosts = texts(spec['hosts']).map((host, i) => ({ of: object, claim: host, path: ['spec', 'hosts', i] }));
    const ports = list(spec['ports']).flatMap((port, i) =>
      port['protocol'] === 'TCP'
        ? [{ of: object, claim: `TCP port ${String(port['number'])}`, path: ['spec', 'ports', i, 'number'] }]
        : [],
    );
    return [...hosts, ...ports];
  });
  return repeated(claims.map(({ of, claim, path }) => ({ key: claim, of, path })));
}

/** ISTIO013 of ports at the edge. */
export function lintGatewayUse(objects: readonly ReadObject[]): Problem[] {
  const claims = objects.flatMap((object) => {
    if (object.kind !== 'Gateway' || !object.apiVersion.includes('.istio.io/')) return [];
    const selector = JSON.stringify(record(object.spec['selector']));
    return list(object.spec['servers']).flatMap((server, i) =>
      texts(server['hosts']).map((host) => ({
        key: `port ${String(record(server['port'])['number'])} of ${host} at ${selector}`,
        of: object,
        path: ['spec', 'servers', i],
      })),
    );
  });
  return repeated(claims);
}

function repeated(claims: readonly { key: string; of: ReadObject; path: Path }[]): Problem[] {
  const first = new Map<string, ReadObject>();
  return claims.flatMap(({ key, of, path }) => {
    const before = first.get(key);
    first.set(key, before ?? of);
    if (before === undefined) return [];
    return [of.problem('ISTIO013', path, `${key} is ${before.kind} ${before.name}'s already`)];
  });
}
