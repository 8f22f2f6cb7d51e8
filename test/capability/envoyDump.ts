import type { SettingField, SettingValue } from '../../core/spec/settings.js';

type CallerField = Exclude<SettingField, `inbound.${string}`>;

/** A service as a running Envoy tells it, in the plan's terms. */
export interface RunningService {
  settings: Readonly<Record<CallerField, SettingValue | undefined>>;
  /** Percent of the requests, by region; a region that only stands by is not in it. */
  weights: Readonly<Record<string, number>>;
  /** `address:port` by region, sorted. */
  endpoints: Readonly<Record<string, readonly string[]>>;
  /** Names of the listeners at which it is reached, sorted. */
  listeners: readonly string[];
  /** Instances that this proxy receives requests for, and their limits, by the listener's name. */
  inbound: Readonly<Record<string, RunningInbound>>;
  /** `address:port` of endpoints that are watched and get nothing, sorted. */
  unplanned: readonly string[];
}

export interface RunningInbound {
  listensAt: string;
  app: string;
  maxRequests: number | undefined;
  retryRps: number;
}

type Node = { readonly [key: string]: Node } | undefined;

/**
 * Reads `/config_dump?include_eds` and `/clusters?format=json` by Envoy's own documentation of its types, and shares
 * nothing with the product's reader: what renderer and reader got wrong together would otherwise look right. Throws
 * when something is there twice, or when what a cluster says of itself contradicts its configuration.
 */
export function runningServices(dumpText: string, clustersText: string): Readonly<Record<string, RunningService>> {
  const dump = JSON.parse(dumpText) as Node;
  const clusters = typed(dump, 'envoy.config.cluster.v3.Cluster');
  const assignments = typed(dump, 'envoy.config.endpoint.v3.ClusterLoadAssignment');
  const routers = typed(dump, 'envoy.config.route.v3.RouteConfiguration');
  const live = list((JSON.parse(clustersText) as Node)?.['cluster_statuses']);
  const listeners = typed(dump, 'envoy.config.listener.v3.Listener');
  const named = (cluster: Node): string => text(cluster?.['name']);
  return Object.fromEntries(
    clusters
      .filter((cluster) => !named(cluster).includes('_'))
      .map((cluster) => {
        const name = named(cluster);
        const watched = assignments.filter((one) => text(one?.['cluster_name']) === `${name}_unplanned`);
        const doors = clusters.filter((one) => named(one).startsWith(`inbound_${name}_`));
        const assignment = theOnly(`assignment of ${name}`, assignments, (one) => text(one?.['cluster_name']) === name);
        const status = theOnly(`status of ${name}`, live, (one) => text(one?.['name']) === name);
        const routes = routers.flatMap((router) => routesTo(router, name));
        const running: RunningService = {
          settings: settingsOf(
            cluster,
            routes.map((found) => found.route),
          ),
          ...placesOf(assignment),
          listeners: routes.map((found) => found.listener).sort(),
          inbound: Object.fromEntries(doors.map((door) => [named(door), inboundOf(door, listeners, routers)])),
          unplanned: watched.flatMap((one) => list(one?.['endpoints']).flatMap(socketsOf)).sort(),
        };
        agree(name, running, status);
        return [name, running];
      }),
  );
}

function routesTo(router: Node, cluster: string): { listener: string; route: Node }[] {
  const routes = list(router?.['virtual_hosts']).flatMap((host) => list(host?.['routes']));
  const found = routes.filter((route) => text(route?.['route']?.['cluster']) === cluster);
  return found.map((route) => ({ listener: text(router?.['name']), route }));
}

/** Everything that is repeated, and nothing else, must pass a bucket, and all must lead to the one instance. */
function inboundOf(cluster: Node, listeners: readonly Node[], routers: readonly Node[]): RunningInbound {
  const name = text(cluster?.['name']);
  const is = (one: Node): boolean => text(one?.['name']) === name;
  const listener = theOnly(`listener ${name}`, listeners, is);
  const routes = routesTo(theOnly(`routes of ${name}`, routers, is), name).map(({ route }) => route);
  const limited = routes.filter((route) => route?.['typed_per_filter_config'] !== undefined);
  const repeated = theOnly(`limit of ${name}`, limited, () => true);
  const counted = list(repeated?.['match']?.['headers']).map((header) => text(header?.['name']));
  if (counted.length === 0 || counted.some((header) => header !== 'x-envoy-attempt-count')) {
    throw new Error(`${name} limits by ${counted.join(', ')}`);
  }
  const thresholds = list(cluster?.['circuit_breakers']?.['thresholds']);
  const breaker = theOnly(`breaker of ${name}`, thresholds, (one) => one?.['priority'] === undefined);
  const app = theOnly(`instance of ${name}`, list(cluster?.['load_assignment']?.['endpoints']), () => true);
  return {
    listensAt: socket(listener?.['address']),
    app: socketsOf(app).join(' '),
    maxRequests: number(breaker?.['max_requests']),
    retryRps: rateOf(repeated?.['typed_per_filter_config']?.['envoy.filters.http.local_ratelimit']),
  };
}

function rateOf(limit: Node): number {
  const bucket = limit?.['token_bucket'];
  const perFill = number(bucket?.['tokens_per_fill']) ?? NaN;
  return Math.round((perFill / (milliseconds(bucket?.['fill_interval']) ?? NaN)) * 1e9) / 1e6;
}

function socketsOf(place: Node): string[] {
  return list(place?.['lb_endpoints']).map((endpoint) => socket(endpoint?.['endpoint']?.['address']));
}

/** What callers run of a service; what its instances' own proxies limit is told apart from it. */
function settingsOf(cluster: Node, routes: readonly Node[]): RunningService['settings'] {
  const breaker = theOnly('breaker', list(cluster?.['circuit_breakers']?.['thresholds']), () => true);
  const health = theOnly('health check', list(cluster?.['health_checks']), () => true);
  const outlier = cluster?.['outlier_detection'];
  const policy = cluster?.['lb_policy'];
  const balancing = cluster?.['least_request_lb_config'] ?? cluster?.['round_robin_lb_config'];
  const slowStart = balancing?.['slow_start_config']?.['slow_start_window'];
  return {
    'lb.policy': policy === undefined ? 'ROUND_ROBIN' : text(policy),
    'lb.slowStartMs': milliseconds(slowStart) ?? 0,
    'breaker.maxConnections': number(breaker?.['max_connections']),
    'breaker.maxPendingRequests': number(breaker?.['max_pending_requests']),
    'breaker.maxRequests': number(breaker?.['max_requests']),
    'retry.budgetPercent': number(breaker?.['retry_budget']?.['budget_percent']?.['value'], 0),
    'retry.minConcurrency': number(breaker?.['retry_budget']?.['min_retry_concurrency']),
    'timeout.connectMs': milliseconds(cluster?.['connect_timeout']),
    'outlier.consecutive5xx': number(outlier?.['consecutive_5xx']),
    'outlier.intervalMs': milliseconds(outlier?.['interval']),
    'outlier.baseEjectionMs': milliseconds(outlier?.['base_ejection_time']),
    'outlier.maxEjectionPercent': number(outlier?.['max_ejection_percent']),
    'health.intervalMs': milliseconds(health?.['interval']),
    'health.timeoutMs': milliseconds(health?.['timeout']),
    'health.unhealthyThreshold': number(health?.['unhealthy_threshold']),
    'health.healthyThreshold': number(health?.['healthy_threshold']),
    ...routeSettings(routes),
  };
}

type RouteField = Extract<SettingField, `rateLimit.${string}` | 'timeout.requestMs' | 'retry.maxPerRequest'>;

/** Every listener must limit and time a service alike. */
function routeSettings(routes: readonly Node[]): Record<RouteField, number | undefined> {
  const each = routes.map((route) => {
    const limit = route?.['typed_per_filter_config']?.['envoy.filters.http.local_ratelimit'];
    const bucket = limit?.['token_bucket'];
    const enforced = limit?.['filter_enforced']?.['default_value'];
    const denominator = enforced?.['denominator'];
    if (denominator !== undefined && text(denominator) !== 'HUNDRED') throw new Error('enforced in other parts');
    return {
      'rateLimit.rps': rateOf(limit),
      'rateLimit.burst': number(bucket?.['max_tokens']),
      'rateLimit.enforcedPercent': enforced === undefined ? undefined : number(enforced['numerator'], 0),
      'timeout.requestMs': milliseconds(route?.['route']?.['timeout']),
      'retry.maxPerRequest': number(route?.['route']?.['retry_policy']?.['num_retries']),
    };
  });
  const [first] = each;
  if (first === undefined) throw new Error('no route leads there');
  for (const other of each) {
    if (JSON.stringify(other) !== JSON.stringify(first)) throw new Error(`routes differ: ${JSON.stringify(each)}`);
  }
  return first;
}

/** Requests are shared by weight within priority 0; a place of a higher number gets some only when those are down. */
function placesOf(assignment: Node): Pick<RunningService, 'weights' | 'endpoints'> {
  const weights: Record<string, number> = {};
  const endpoints: Record<string, readonly string[]> = {};
  const seen = new Set<string>();
  for (const place of list(assignment?.['endpoints'])) {
    const region = text(place?.['locality']?.['sub_zone']);
    const zone = `${region} ${text(place?.['locality']?.['zone'])}`;
    if (seen.has(zone)) throw new Error(`${zone} is there twice`);
    seen.add(zone);
    endpoints[region] = [...(endpoints[region] ?? []), ...socketsOf(place)].sort();
    if (number(place?.['priority'], 0) !== 0) continue;
    weights[region] = (weights[region] ?? 0) + (number(place?.['load_balancing_weight'], 0) ?? 0);
  }
  const sum = Object.values(weights).reduce((total, weight) => total + weight, 0);
  return { weights: Object.fromEntries(Object.entries(weights).map(([r, w]) => [r, (w / sum) * 100])), endpoints };
}

/** What the cluster counts with, against what it was configured with. */
function agree(name: string, running: RunningService, status: Node): void {
  const thresholds = list(status?.['circuit_breakers']?.['thresholds']);
  const breaker = theOnly(`breaker of ${name}`, thresholds, (one) => one?.['priority'] === undefined);
  const hosts = list(status?.['host_statuses']).map((host) => {
    const standby = number(host?.['priority'], 0) !== 0;
    return `${text(host?.['locality']?.['sub_zone'])} ${standby ? 'stands by' : 'serves'} ${socket(host?.['address'])}`;
  });
  const limits = ['max_connections', 'max_pending_requests', 'max_requests'].map((field) => number(breaker?.[field]));
  const said = { hosts: hosts.sort(), limits };
  const configured = {
    hosts: Object.entries(running.endpoints)
      .flatMap(([region, sockets]) => {
        const serves = running.weights[region] === undefined ? 'stands by' : 'serves';
        return sockets.map((one) => `${region} ${serves} ${one}`);
      })
      .sort(),
    limits: [
      running.settings['breaker.maxConnections'],
      running.settings['breaker.maxPendingRequests'],
      running.settings['breaker.maxRequests'],
    ],
  };
  if (JSON.stringify(said) === JSON.stringify(configured)) return;
  throw new Error(`${name} says ${JSON.stringify(said)}, configured is ${JSON.stringify(configured)}`);
}

/** Everything of one type anywhere in the dump, whatever Envoy files it under. */
function typed(node: Node, type: string): Node[] {
  if (typeof node !== 'object' || node === null) return [];
  const inside = Object.values(node).flatMap((child) => typed(child, type));
  return node['@type'] !== undefined && text(node['@type']) === `type.googleapis.com/${type}`
    ? [node, ...inside]
    : inside;
}

function theOnly(what: string, nodes: readonly Node[], is: (node: Node) => boolean): Node {
  const found = nodes.filter(is);
  if (found.length !== 1) throw new Error(`${found.length} × ${what}, there should be one`);
  return found[0];
}

function list(node: Node): Node[] {
  return Array.isArray(node) ? (node as Node[]) : [];
}

function text(node: Node): string {
  return String(node as unknown);
}

/** JSON of protobuf leaves out what is at its type's default. */
function number(node: Node, absent?: number): number | undefined {
  return node === undefined ? absent : Number(node as unknown);
}

function milliseconds(node: Node): number | undefined {
  if (node === undefined) return undefined;
  const said = text(node);
  if (!said.endsWith('s')) throw new Error(`${said} is no duration`);
  return Math.round(Number(said.slice(0, -1)) * 1e9) / 1e6;
}

function socket(address: Node): string {
  const { address: host, port_value: port } = address?.['socket_address'] ?? {};
  return `${text(host)}:${text(port)}`;
}
