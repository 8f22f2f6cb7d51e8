import type { LiveMesh, LiveService } from '../../core/spec/live.js';
import type { HostSpec } from '../../core/spec/region.js';
import type { ServiceSettings, SettingField } from '../../core/spec/settings.js';
import type { Mismatch } from '../renderer.js';
import { RATE_LIMIT_FILTER } from './names.js';

/** What a proxy says that it runs, in the plan's own terms. A value that it does not have is absent. */
export interface ReadBackService {
  settings: Readonly<Partial<ServiceSettings>>;
  /** Percent by region; regions that only stand by are 0. */
  weights: Readonly<Record<string, number>>;
  /** `address:port` by region, sorted. */
  endpoints: Readonly<Record<string, readonly string[]>>;
  entry: boolean;
}

type Json = Record<string, unknown>;

/**
 * Reads `/config_dump?include_eds` of a real Envoy. Where a service has several routes, the settings of each are
 * told apart by where they are (`ingress`, `mesh`). Throws a SyntaxError or TypeError for what is no such dump.
 */
export function readBack(dump: string): Readonly<Record<string, { ingress?: ReadBackService; mesh: ReadBackService }>> {
  const configs = array(object(JSON.parse(dump))['configs']);
  const routes = routesByService(configs);
  const assignments = new Map(
    section(
      configs,
      'EndpointsConfigDump',
      ['dynamic_endpoint_configs', 'static_endpoint_configs'],
      'endpoint_config',
    ).map((assignment) => [String(assignment['cluster_name']), assignment]),
  );
  const clusters = section(configs, 'ClustersConfigDump', ['dynamic_active_clusters', 'static_clusters'], 'cluster');
  return Object.fromEntries(
    clusters.map((cluster) => {
      const name = String(cluster['name']);
      const own = { ...clusterSettings(cluster) };
      const places = assignmentTerms(assignments.get(name));
      const terms = (route: Json | undefined): ReadBackService => ({
        settings: { ...own, ...(route === undefined ? {} : routeSettings(route)) },
        ...places,
        entry: routes.get(`ingress/${name}`) !== undefined,
      });
      const ingress = routes.get(`ingress/${name}`);
      return [
        name,
        { ...(ingress === undefined ? {} : { ingress: terms(ingress) }), mesh: terms(routes.get(`mesh/${name}`)) },
      ];
    }),
  );
}

/** Field by field, where what runs differs from what should. Services that run but should not are named too. */
export function compareReadBack(live: LiveMesh, host: HostSpec, dump: string): readonly Mismatch[] {
  const running = readBack(dump);
  const wanted = new Set(live.services.map((service) => service.service));
  const extra = Object.keys(running).filter((name) => !wanted.has(name));
  return [
    ...live.services.flatMap((service) => compareService(service, live.region, host, running[service.service])),
    ...extra.map((service) => ({ host: host.name, service, field: 'service', expected: undefined, actual: service })),
  ];
}

function compareService(
  live: LiveService,
  own: string,
  host: HostSpec,
  running: { ingress?: ReadBackService; mesh: ReadBackService } | undefined,
): Mismatch[] {
  const { service } = live;
  const mismatches = new Map<string, Mismatch>();
  const check = (field: string, expected: number | string | undefined, actual: number | string | undefined): void => {
    if (same(expected, actual) || mismatches.has(field)) return;
    mismatches.set(field, { host: host.name, service, field, expected, actual });
  };
  if (running === undefined)
    return [{ host: host.name, service, field: 'service', expected: service, actual: undefined }];
  check('entry', live.entryPathPrefix === undefined ? 'no' : 'yes', running.mesh.entry ? 'yes' : 'no');
  for (const terms of [running.mesh, running.ingress]) {
    if (terms === undefined) continue;
    for (const field of Object.keys(live.settings) as SettingField[]) {
      check(field, live.settings[field], terms.settings[field]);
    }
    for (const region of new Set([...Object.keys(live.weights), ...Object.keys(terms.weights)])) {
      check(`weight.${region}`, live.weights[region] ?? 0, terms.weights[region] ?? 0);
    }
    const expected = live.endpoints.map((socket) => `${socket.address}:${socket.port}`).sort();
    check('endpoints', expected.join(' '), (terms.endpoints[own] ?? []).join(' '));
  }
  return [...mismatches.values()];
}

/** Rates pass through whole tokens and nanoseconds, so they may differ in the ninth digit. */
function same(expected: number | string | undefined, actual: number | string | undefined): boolean {
  if (typeof expected !== 'number' || typeof actual !== 'number') return expected === actual;
  return Math.abs(expected - actual) <= 1e-6 * Math.max(1, Math.abs(expected));
}

function clusterSettings(cluster: Json): Partial<ServiceSettings> {
  const [breaker] = array(object(cluster['circuit_breakers'])['thresholds']);
  const retries = object(breaker?.['retry_budget']);
  const outlier = object(cluster['outlier_detection']);
  const [health] = array(cluster['health_checks']);
  const policy = cluster['lb_policy'] ?? 'ROUND_ROBIN';
  return {
    ...(policy === 'LEAST_REQUEST' || policy === 'ROUND_ROBIN' ? { 'lb.policy': policy } : {}),
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
  const fillMs = ms(bucket['fill_interval']);
  const rps = fillMs === undefined ? undefined : (Number(bucket['tokens_per_fill']) * 1000) / fillMs;
  // A numerator of 0 is left out of the dump, as protobuf leaves out every default; the limit itself is not.
  const enforced = object(limit['filter_enforced'])['default_value'];
  return {
    ...number('rateLimit.rps', rps),
    ...number('rateLimit.burst', bucket['max_tokens']),
    ...number('rateLimit.enforcedPercent', enforced === undefined ? undefined : (object(enforced)['numerator'] ?? 0)),
    ...number('timeout.requestMs', ms(action['timeout'])),
    ...number('retry.maxPerRequest', object(action['retry_policy'])['num_retries']),
  };
}

function assignmentTerms(assignment: Json | undefined): Pick<ReadBackService, 'weights' | 'endpoints'> {
  const localities = array(assignment?.['endpoints'] ?? []);
  const terms = localities.map((locality) => {
    const region = String(object(locality['locality'])['sub_zone'] ?? '');
    const shares = Number(locality['priority'] ?? 0) === 0;
    const sockets = array(locality['lb_endpoints']).map((endpoint) => {
      const address = object(object(object(endpoint['endpoint'])['address'])['socket_address']);
      return `${String(address['address'])}:${String(address['port_value'])}`;
    });
    return { region, weight: shares ? Number(locality['load_balancing_weight'] ?? 0) : 0, sockets: sockets.sort() };
  });
  return {
    weights: Object.fromEntries(terms.map(({ region, weight }) => [region, weight])),
    endpoints: Object.fromEntries(terms.map(({ region, sockets }) => [region, sockets])),
  };
}

/** `<route configuration>/<cluster>` → the first route to it. */
function routesByService(configs: readonly Json[]): Map<string, Json> {
  const found = new Map<string, Json>();
  for (const config of section(
    configs,
    'RoutesConfigDump',
    ['dynamic_route_configs', 'static_route_configs'],
    'route_config',
  )) {
    for (const host of array(config['virtual_hosts'] ?? [])) {
      for (const route of array(host['routes'] ?? [])) {
        const key = `${String(config['name'])}/${String(object(route['route'])['cluster'])}`;
        if (!found.has(key)) found.set(key, route);
      }
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
