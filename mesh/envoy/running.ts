import type { ServiceSettings, SettingField } from '../../core/spec/settings.js';
import { LB_POLICIES } from '../../core/spec/settings.js';
import { RATE_LIMIT_FILTER, roleOf } from './names.js';

/** What a proxy says that it runs, in the plan's own terms. A value that it does not have is absent. */
export interface RunningTerms {
  settings: Readonly<Partial<ServiceSettings>>;
  /** Percent by region; regions that only stand by are 0. */
  weights: Readonly<Record<string, number>>;
  /** `address:port` by region, sorted. */
  endpoints: Readonly<Record<string, readonly string[]>>;
  entry: boolean;
}

export interface Running {
  /** Where a service has several routes, the settings of each are told apart by where they are. */
  services: Readonly<Record<string, { ingress?: RunningTerms; mesh: RunningTerms }>>;
  /** `address:port` by service, sorted. */
  unplanned: Readonly<Record<string, readonly string[]>>;
  /** By name of the instance's listener. */
  inbound: Readonly<Record<string, RunningInbound>>;
}

export interface RunningInbound {
  settings: Readonly<Partial<ServiceSettings>>;
  /** Where the instance itself listens, `address:port`. */
  app: string;
}

type Json = Record<string, unknown>;

/** Reads `/config_dump?include_eds` of a real Envoy. Throws a SyntaxError or TypeError for what is no such dump. */
export function readRunning(dump: string): Running {
  const configs = array(object(JSON.parse(dump))['configs']);
  const routes = routesByCluster(configs);
  const lists = ['dynamic_endpoint_configs', 'static_endpoint_configs'];
  const assignments = new Map(
    section(configs, 'EndpointsConfigDump', lists, 'endpoint_config').map((one) => [String(one['cluster_name']), one]),
  );
  const services: Record<string, { ingress?: RunningTerms; mesh: RunningTerms }> = {};
  const unplanned: Record<string, readonly string[]> = {};
  const inbound: Record<string, RunningInbound> = {};
  for (const cluster of section(
    configs,
    'ClustersConfigDump',
    ['dynamic_active_clusters', 'static_clusters'],
    'cluster',
  )) {
    const full = String(cluster['name']);
    const { role, name } = roleOf(full);
    if (role === 'unplanned') unplanned[name] = socketsOf(assignments.get(full));
    else if (role === 'inbound') inbound[name] = inboundTerms(cluster, routes.get(`${name}/${name}`) ?? []);
    else services[name] = serviceTerms(cluster, assignments.get(full), routes);
  }
  return { services, unplanned, inbound };
}

function serviceTerms(
  cluster: Json,
  assignment: Json | undefined,
  routes: ReadonlyMap<string, readonly Json[]>,
): { ingress?: RunningTerms; mesh: RunningTerms } {
  const name = String(cluster['name']);
  const own = clusterSettings(cluster);
  const places = assignmentTerms(assignment);
  const [ingress] = routes.get(`ingress/${name}`) ?? [];
  const [mesh] = routes.get(`mesh/${name}`) ?? [];
  const terms = (route: Json | undefined): RunningTerms => ({
    settings: { ...own, ...(route === undefined ? {} : routeSettings(route)) },
    ...places,
    entry: ingress !== undefined,
  });
  return { ...(ingress === undefined ? {} : { ingress: terms(ingress) }), mesh: terms(mesh) };
}

/** The limit is in the first threshold; of its routes, only the one of repeated requests brings a bucket. */
function inboundTerms(cluster: Json, routes: readonly Json[]): RunningInbound {
  const [breaker] = array(object(cluster['circuit_breakers'])['thresholds']);
  const [bucket] = routes.flatMap((route) => {
    const limit = object(object(route['typed_per_filter_config'])[RATE_LIMIT_FILTER])['token_bucket'];
    return limit === undefined ? [] : [object(limit)];
  });
  return {
    settings: {
      // Of bytes, connections are limited in place of requests.
      ...number('inbound.maxRequests', breaker?.['max_requests'] ?? breaker?.['max_connections']),
      ...number('inbound.retryRps', rate(bucket)),
    },
    app: socketsOf(object(cluster['load_assignment'])).join(' '),
  };
}

function clusterSettings(cluster: Json): Partial<ServiceSettings> {
  const [breaker] = array(object(cluster['circuit_breakers'])['thresholds']);
  const retries = object(breaker?.['retry_budget']);
  const outlier = object(cluster['outlier_detection']);
  const [health] = array(cluster['health_checks']);
  const said = cluster['lb_policy'] ?? 'ROUND_ROBIN';
  const policy = LB_POLICIES.find((one) => one === said);
  const balancing = object(cluster['least_request_lb_config'] ?? cluster['round_robin_lb_config']);
  const slowStart = object(balancing['slow_start_config'])['slow_start_window'];
  return {
    ...(policy === undefined ? {} : { 'lb.policy': policy }),
    'lb.slowStartMs': ms(slowStart) ?? 0,
    ...number('breaker.maxConnections', breaker?.['max_connections']),
    ...number('breaker.maxPendingRequests', breaker?.['max_pending_requests']),
    ...number('breaker.maxRequests', breaker?.['max_requests']),
    ...number('retry.budgetPercent', zeroed(retries['budget_percent'])),
    ...number('retry.minConcurrency', retries['min_retry_concurrency']),
    ...number('timeout.connectMs', ms(cluster['connect_timeout'])),
    ...number('outlier.consecutive5xx', outlier['consecutive_5xx']),
    ...number('outlier.intervalMs', ms(outlier['interval'])),
    ...number('outlier.baseEjectionMs', ms(outlier['base_ejection_time'])),
    ...number('outlier.maxEjectionPercent', outlier['max_ejection_percent']),
    ...number('health.intervalMs', ms(health?.['interval'])),
    ...number('health.timeoutMs', ms(health?.['timeout'])),
    ...number('health.unhealthyThreshold', health?.['unhealthy_threshold']),
    ...number('health.healthyThreshold', health?.['healthy_threshold']),
  };
}

function routeSettings(route: Json): Partial<ServiceSettings> {
  const action = object(route['route']);
  const limit = object(object(route['typed_per_filter_config'])[RATE_LIMIT_FILTER]);
  const bucket = object(limit['token_bucket']);
  // A numerator of 0 is left out of the dump, as protobuf leaves out every default; the limit itself is not.
  const enforced = object(limit['filter_enforced'])['default_value'];
  return {
    ...number('rateLimit.rps', rate(bucket)),
    ...number('rateLimit.burst', bucket['max_tokens']),
    ...number('rateLimit.enforcedPercent', enforced === undefined ? undefined : (object(enforced)['numerator'] ?? 0)),
    ...number('timeout.requestMs', ms(action['timeout'])),
    ...number('retry.maxPerRequest', object(action['retry_policy'])['num_retries']),
  };
}

function rate(bucket: Json | undefined): number | undefined {
  const fillMs = ms(bucket?.['fill_interval']);
  return fillMs === undefined ? undefined : (Number(bucket?.['tokens_per_fill']) * 1000) / fillMs;
}

/** A region may be there several times, once for each zone. Weights are shares of those in priority 0. */
function assignmentTerms(assignment: Json | undefined): Pick<RunningTerms, 'weights' | 'endpoints'> {
  const weights: Record<string, number> = {};
  const endpoints: Record<string, string[]> = {};
  for (const place of array(assignment?.['endpoints'] ?? [])) {
    const region = String(object(place['locality'])['sub_zone'] ?? '');
    const shares = Number(place['priority'] ?? 0) === 0;
    weights[region] = (weights[region] ?? 0) + (shares ? Number(place['load_balancing_weight'] ?? 0) : 0);
    endpoints[region] = [...(endpoints[region] ?? []), ...socketsOf({ endpoints: [place] })].sort();
  }
  const total = Object.values(weights).reduce((sum, weight) => sum + weight, 0);
  const percent = (weight: number): number => (total > 0 ? (weight * 100) / total : 0);
  return { weights: Object.fromEntries(Object.entries(weights).map(([name, w]) => [name, percent(w)])), endpoints };
}

function socketsOf(assignment: Json | undefined): string[] {
  const places = array(assignment?.['endpoints'] ?? []);
  const sockets = places
    .flatMap((place) => array(place['lb_endpoints']))
    .map((endpoint) => {
      const address = object(object(object(endpoint['endpoint'])['address'])['socket_address']);
      return `${String(address['address'])}:${String(address['port_value'])}`;
    });
  return sockets.sort();
}

/** `<route configuration>/<cluster>` → the routes to it, in order. */
function routesByCluster(configs: readonly Json[]): Map<string, Json[]> {
  const found = new Map<string, Json[]>();
  const lists = ['dynamic_route_configs', 'static_route_configs'];
  for (const config of section(configs, 'RoutesConfigDump', lists, 'route_config')) {
    for (const route of array(config['virtual_hosts'] ?? []).flatMap((host) => array(host['routes'] ?? []))) {
      const key = `${String(config['name'])}/${String(object(route['route'])['cluster'])}`;
      found.set(key, [...(found.get(key) ?? []), route]);
    }
  }
  return found;
}

function section(configs: readonly Json[], type: string, lists: readonly string[], member: string): Json[] {
  const dump = configs.find((config) => String(config['@type']).endsWith(`.${type}`));
  return lists.flatMap((list) => array(dump?.[list] ?? [])).map((item) => object(item[member]));
}

/** `0.250s` → 250. */
function ms(duration: unknown): number | undefined {
  const match = /^(\d+(?:\.\d+)?)s$/.exec(String(duration));
  return match === null ? undefined : Number(match[1]) * 1000;
}

/** A percentage is a message whose value is left out when it is 0. */
function zeroed(percent: unknown): unknown {
  return percent === undefined ? undefined : (object(percent)['value'] ?? 0);
}

function number<F extends SettingField>(field: F, value: unknown): Partial<Record<F, number>> {
  if (value === undefined || value === null || !Number.isFinite(Number(value))) return {};
  return { [field]: Number(value) } as Partial<Record<F, number>>;
}

function object(value: unknown): Json {
  return typeof value === 'object' && value !== null ? (value as Json) : {};
}

function array(value: unknown): Json[] {
  return Array.isArray(value) ? (value as Json[]) : [];
}
