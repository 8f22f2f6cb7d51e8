import type { RegionSpec } from '../../core/spec/region.js';
import type { ServiceSettings } from '../../core/spec/settings.js';
import { INGRESS, MESH, RATE_LIMIT_FILTER } from '../envoy/names.js';
import { readRunning } from '../envoy/running.js';
import type { RunningTerms } from '../envoy/running.js';
import { REPEAT_FILTER } from './envoyFilter.js';
import type { IstioPlace } from './names.js';
import { WORKLOAD_LABEL, hostOf } from './names.js';
import { UNLIMITED } from './projection.js';

/** What one proxy under Istio says that it runs. */
export interface IstioRunning {
  /** Name of the proxy, as its node has it. */
  proxy: string;
  role: 'gateway' | 'sidecar';
  services: Readonly<Record<string, RunningTerms>>;
  /** Of a proxy beside an instance: what it holds for it. */
  inbound?: { service: string; settings: Readonly<Partial<ServiceSettings>> };
}

type Json = Record<string, unknown>;

/**
 * Reads the dump with the very eyes that read our own Envoys': clusters and routes are given the names that those
 * would have. Throws a SyntaxError or TypeError for what is no such dump.
 */
export function readIstioDump(dump: string, region: RegionSpec, place: IstioPlace): IstioRunning {
  const configs = array(object(JSON.parse(dump))['configs']);
  if (configs.length === 0) throw new TypeError('no configurations in the dump');
  const node = object(object(configs.find(isOf('BootstrapConfigDump')))['bootstrap'])['node'];
  const role = String(object(node)['id']).startsWith('router~') ? 'gateway' : 'sidecar';
  const metadata = object(object(node)['metadata']);
  const proxy = String(metadata['NAME'] ?? '');
  const byHost = new Map(region.services.map(({ name }) => [hostOf(name, place), name]));
  const services = readServices(configs, role, byHost);
  if (role === 'gateway') return { proxy, role, services };
  const service = String(object(metadata['LABELS'])[WORKLOAD_LABEL] ?? '');
  return { proxy, role, services, inbound: { service, settings: inboundSettings(configs) } };
}

function readServices(
  configs: readonly Json[],
  role: IstioRunning['role'],
  byHost: ReadonlyMap<string, string>,
): Record<string, RunningTerms> {
  const ours = (name: unknown): string | undefined => {
    const host = /^outbound\|\d+\|\|(.+)$/.exec(String(name))?.[1];
    return host === undefined ? undefined : byHost.get(host);
  };
  const renamed = (list: readonly Json[], key: string): Json[] =>
    list.flatMap((one) => {
      const name = ours(one[key]);
      return name === undefined ? [] : [{ ...one, [key]: name }];
    });
  const routes = items(configs, 'RoutesConfigDump', 'route_config').map((config) => ({
    name: role === 'gateway' ? INGRESS : MESH,
    virtual_hosts: array(config['virtual_hosts'] ?? []).map((host) => ({
      routes: array(host['routes'] ?? []).flatMap((route) => routeTo(ours(object(route['route'])['cluster']), route)),
    })),
  }));
  const clusters = renamed(items(configs, 'ClustersConfigDump', 'cluster'), 'name');
  const written = clusters.flatMap(({ name, load_assignment: places }) =>
    places === undefined ? [] : [{ cluster_name: name, endpoints: occupied(object(places)) }],
  );
  // Names are told as they were written, not as they were resolved.
  const assignments = [
    ...renamed(items(configs, 'EndpointsConfigDump', 'endpoint_config'), 'cluster_name'),
    ...written,
  ];
  const read = readRunning(
    JSON.stringify({
      configs: [
        dumpOf('ClustersConfigDump', 'dynamic_active_clusters', 'cluster', clusters),
        dumpOf('EndpointsConfigDump', 'dynamic_endpoint_configs', 'endpoint_config', assignments),
        dumpOf('RoutesConfigDump', 'dynamic_route_configs', 'route_config', routes),
      ],
    }),
  );
  return Object.fromEntries(Object.entries(read.services).map(([name, { ingress, mesh }]) => [name, ingress ?? mesh]));
}

/** What has no weight keeps its locality and the weight of one, but no endpoint: Envoy passes it over. */
function occupied(places: Json): Json[] {
  return array(places['endpoints'] ?? []).filter((place) => array(place['lb_endpoints'] ?? []).length > 0);
}

/** No policy is no retry; the reader of our own proxies, which always have one, would take it for not being told. */
function routeTo(service: string | undefined, route: Json): Json[] {
  if (service === undefined) return [];
  const action = object(route['route']);
  return [{ ...route, route: { retry_policy: { num_retries: 0 }, ...action, cluster: service } }];
}

function inboundSettings(configs: readonly Json[]): Partial<ServiceSettings> {
  const clusters = items(configs, 'ClustersConfigDump', 'cluster');
  const cluster = clusters.find((one) => String(one['name']).startsWith('inbound|'));
  const [breaker] = array(object(cluster?.['circuit_breakers'])['thresholds'] ?? []);
  const filters = inboundFilters(configs);
  const rate = filters.get(RATE_LIMIT_FILTER);
  const [repeats] = array(filters.get(REPEAT_FILTER)?.['descriptors'] ?? []);
  return {
    ...limitOf(breaker),
    ...(rate === undefined ? {} : rateSettings(rate)),
    ...(repeats === undefined ? {} : { 'inbound.retryRps': bucketRps(object(repeats['token_bucket'])) }),
  };
}

/** Of bytes, connections are limited in place of requests. */
function limitOf(breaker: Json | undefined): Partial<ServiceSettings> {
  const requests = Number(breaker?.['max_requests'] ?? UNLIMITED);
  const limit = requests === UNLIMITED ? Number(breaker?.['max_connections'] ?? UNLIMITED) : requests;
  return limit === UNLIMITED ? {} : { 'inbound.maxRequests': limit };
}

function rateSettings(limit: Json): Partial<ServiceSettings> {
  const bucket = object(limit['token_bucket']);
  const enforced = object(object(limit['filter_enforced'])['default_value']);
  return {
    'rateLimit.rps': bucketRps(bucket),
    'rateLimit.burst': Number(bucket['max_tokens']),
    'rateLimit.enforcedPercent': Number(enforced['numerator'] ?? 0),
  };
}

function bucketRps(bucket: Json): number {
  return Number(bucket['tokens_per_fill']) / Number.parseFloat(String(bucket['fill_interval']));
}

/** HTTP filters of what comes in for the instance, by name. */
function inboundFilters(configs: readonly Json[]): Map<string, Json> {
  const listeners = array(object(configs.find(isOf('ListenersConfigDump')))['dynamic_listeners'] ?? [])
    .map((listener) => object(object(listener['active_state'])['listener']))
    .filter((listener) => listener['traffic_direction'] === 'INBOUND');
  const filters = listeners
    .flatMap((listener) => array(listener['filter_chains'] ?? []))
    .flatMap((chain) => array(chain['filters'] ?? []))
    .flatMap((filter) => array(object(filter['typed_config'])['http_filters'] ?? []));
  return new Map(filters.map((filter) => [String(filter['name']), object(filter['typed_config'])]));
}

function dumpOf(type: string, list: string, member: string, resources: readonly Json[]): Json {
  return { '@type': `.${type}`, [list]: resources.map((one) => ({ [member]: one })) };
}

function items(configs: readonly Json[], type: string, member: string): Json[] {
  const dump = object(configs.find(isOf(type)));
  return Object.entries(dump)
    .filter(([list]) => list.startsWith('dynamic_'))
    .flatMap(([, list]) => array(list))
    .flatMap((item) => (item[member] === undefined ? [] : [object(item[member])]));
}

function isOf(type: string): (config: Json) => boolean {
  return (config) => String(config['@type']).endsWith(`.${type}`);
}

function object(value: unknown): Json {
  return typeof value === 'object' && value !== null ? (value as Json) : {};
}

function array(value: unknown): Json[] {
  return Array.isArray(value) ? (value as Json[]) : [];
}
