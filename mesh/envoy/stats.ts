import type { ProxySnapshot, ServiceCounters } from '../../core/spec/observation.js';
import type { RegionSpec } from '../../core/spec/region.js';
import { STATS_PREFIX, rateLimitStat, unplannedName } from './names.js';

const WANTED = [
  `${STATS_PREFIX}\\.`,
  'ratelimit_[^.]+\\.http_local_rate_limit\\.rate_limited$',
  // Services only: the names of other clusters have an underscore.
  'cluster\\.[^._]+\\.upstream_rq_(retry|active)$',
  'server\\.uptime$',
];

/**
 * Everything that `parseSnapshot` reads of the statistics, and little more. As text, which is a third of the JSON and
 * less work for the proxy; without what was never counted, which is zero.
 */
export const ADMIN_STATS_PATH = `/stats?usedonly&histogram_buckets=detailed&filter=${encodeURIComponent(`^(${WANTED.join('|')})`)}`;
export const ADMIN_CLUSTERS_PATH = '/clusters?format=json';
export const ADMIN_CONFIG_DUMP_PATH = '/config_dump?include_eds';

/**
 * Reads one proxy's counters. Where each is from, so that nothing is counted twice:
 * - requests are the listeners' own counters (`psmg.requests…`, see listeners.ts): each request once, when it has
 *   ended, as its caller saw it. `offered` is their sum over all statuses and flags;
 * - what a proxy answered itself is told by the response flags: RL rate limit, UO breaker, UT timeout, UF/UH/UC no
 *   connection. It is in its class of responses as well (429 is a 4xx, 503 and 504 are 5xx);
 * - `rateLimitWould` is the limiter's count of requests beyond the limit, refused or not;
 * - latency counts what was answered or timed out, not what was refused at once;
 * - `active`, `retries` are the cluster's; health is that of each endpoint.
 * A service that nothing has asked for yet has zeros; of one that the proxy does not know, health is not known either.
 * Throws a SyntaxError or TypeError when a text is not what Envoy's admin listener sends, or not all of it.
 */
export function parseSnapshot(
  host: string,
  at: number,
  region: RegionSpec,
  statsText: string,
  clustersText: string,
): ProxySnapshot {
  const stats = readStats(statsText);
  const health = readHealth(clustersText);
  const regions = [region.name, ...region.neighbours.map((neighbour) => neighbour.name)];
  const services = region.services.map(({ name }): [string, ServiceCounters] => {
    const value = (stat: string): number => stats.values.get(stat) ?? 0;
    const requests = stats.requests.get(name) ?? [];
    const count = (matches: (request: Requests) => boolean): number =>
      requests.filter(matches).reduce((sum, request) => sum + request.count, 0);
    const flagged = (...flags: string[]): number => count((request) => flags.some((f) => request.flags.includes(f)));
    const answered = (from: string): number =>
      count((r) => r.region === from && !FAILED.some((f) => r.flags.includes(f)));
    const healthy = health.get(name);
    return [
      name,
      {
        offered: count(() => true),
        responses2xx: count(({ code }) => code >= 100 && code < 400),
        responses4xx: count(({ code }) => code >= 400 && code < 500),
        responses5xx: count(({ code }) => code >= 500),
        rateLimited: flagged('RL'),
        rateLimitWould: value(`${rateLimitStat(name)}.http_local_rate_limit.rate_limited`),
        breakerOverflow: flagged('UO'),
        timeouts: flagged('UT'),
        retries: value(`cluster.${name}.upstream_rq_retry`),
        connectFailures: flagged('UF', 'UH', 'UC'),
        active: value(`cluster.${name}.upstream_rq_active`),
        healthyByRegion:
          healthy === undefined ? {} : Object.fromEntries(regions.map((one) => [one, healthy.get(one) ?? 0])),
        healthyUnplanned: health.get(unplannedName(name))?.get(region.name) ?? 0,
        requestsByRegion: Object.fromEntries(regions.map((one) => [one, answered(one)])),
        latencyBuckets: [...(stats.latencies.get(name)?.values() ?? [])].sort((a, b) => a.lowMs - b.lowMs),
      },
    ];
  });
  return { host, at, uptimeSeconds: stats.uptimeSeconds, services: Object.fromEntries(services) };
}

/** Flags of requests that no endpoint answered, though one may have been chosen. */
const FAILED = ['UF', 'UH', 'UC', 'UT', 'UO', 'RL'];
const REFUSED = ['RL', 'UO'];

interface Requests {
  code: number;
  flags: readonly string[];
  region: string;
  count: number;
}

interface Bucket {
  lowMs: number;
  highMs: number;
  count: number;
}

interface Stats {
  uptimeSeconds: number;
  values: ReadonlyMap<string, number>;
  requests: ReadonlyMap<string, readonly Requests[]>;
  /** By service, then by the lower bound. */
  latencies: ReadonlyMap<string, ReadonlyMap<number, Bucket>>;
}

const REQUESTS = new RegExp(
  `^${STATS_PREFIX}\\.requests\\.service\\.(.*)\\.code\\.(\\d+)\\.flags\\.(.*)\\.region\\.(.*)$`,
);
const LATENCY = new RegExp(`^${STATS_PREFIX}\\.latency_us\\.service\\.(.*)\\.code\\.(\\d+)\\.flags\\.(.*):$`);
const TOTALS = '  totals=';
const UPTIME = 'server.uptime';

/** Lines of `name: value`; a histogram is its name, and lines below it of which `totals` are the buckets since the start. */
function readStats(text: string): Stats {
  const values = new Map<string, number>();
  const requests = new Map<string, Requests[]>();
  const latencies = new Map<string, Map<number, Bucket>>();
  let histogram: string | null = null;
  for (let from = 0; from < text.length;) {
    const newline = text.indexOf('\n', from);
    const end = newline < 0 ? text.length : newline;
    if (text.startsWith(TOTALS, from)) {
      if (histogram !== null) {
        const buckets = into(latencies, histogram, () => new Map<number, Bucket>());
        addTotals(buckets, text, from + TOTALS.length, end);
      }
    } else if (text[end - 1] === ':') {
      const [, service = '', , flags = ''] = LATENCY.exec(text.slice(from, end)) ?? [];
      histogram = service === '' || flags.split(',').some((flag) => REFUSED.includes(flag)) ? null : service;
    } else if (text[from] !== ' ') {
      const colon = text.lastIndexOf(': ', end);
      if (colon > from) addValue(values, requests, text.slice(from, colon), Number(text.slice(colon + 2, end)));
    }
    from = end + 1;
  }
  // Always there: without it the text is not what was asked for, and no zero may be read from it.
  const uptimeSeconds = values.get(UPTIME);
  if (uptimeSeconds === undefined) throw new TypeError('the admin listener sent no whole statistics');
  return { uptimeSeconds, values, requests, latencies };
}

function addValue(values: Map<string, number>, requests: Map<string, Requests[]>, name: string, value: number): void {
  const match = name.startsWith(STATS_PREFIX) ? REQUESTS.exec(name) : null;
  if (match === null) {
    values.set(name, value);
    return;
  }
  const [, service = '', code, flags = '', region = ''] = match;
  into(requests, service, () => []).push({ code: Number(code), flags: flags.split(','), region, count: value });
}

/** `low,width:count, low,width:count, …` in µs, the buckets that hold anything. */
function addTotals(buckets: Map<number, Bucket>, text: string, start: number, end: number): void {
  for (let from = start; from < end;) {
    const comma = text.indexOf(',', from);
    const colon = text.indexOf(':', comma);
    const next = text.indexOf(',', colon);
    const stop = next < 0 || next > end ? end : next;
    if (comma < 0 || colon < 0 || colon > end)
      throw new TypeError('the admin listener sent a histogram without buckets');
    const lowUs = Number(text.slice(from, comma));
    const lowMs = toMs(lowUs);
    const count = Number(text.slice(colon + 1, stop));
    const known = buckets.get(lowMs);
    if (known !== undefined) known.count += count;
    else buckets.set(lowMs, { lowMs, highMs: toMs(lowUs + Number(text.slice(comma + 1, colon))), count });
    from = stop + 1;
  }
}

function into<V>(map: Map<string, V>, key: string, fresh: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = fresh();
  map.set(key, made);
  return made;
}

/** µs → ms; rounded, because Envoy's bounds carry the noise of their logarithms (229.99999999999997). */
function toMs(us: number): number {
  return Math.round(us * 1000) / 1_000_000;
}

/** Healthy endpoints by cluster and region. An endpoint that fails one check of several is not healthy. */
function readHealth(text: string): ReadonlyMap<string, ReadonlyMap<string, number>> {
  const clusters = new Map<string, Map<string, number>>();
  for (const cluster of list(parseObject(text)['cluster_statuses'] ?? [], 'cluster_statuses')) {
    const healthy = new Map<string, number>();
    clusters.set(String(cluster['name']), healthy);
    for (const endpoint of list(cluster['host_statuses'] ?? [], 'host_statuses')) {
      const locality = endpoint['locality'] as { sub_zone?: string } | undefined;
      const status = (endpoint['health_status'] ?? {}) as Record<string, unknown>;
      if (UNHEALTHY.some((flag) => status[flag] === true) || status['eds_health_status'] !== 'HEALTHY') continue;
      const region = locality?.sub_zone ?? '';
      healthy.set(region, (healthy.get(region) ?? 0) + 1);
    }
  }
  return clusters;
}

const UNHEALTHY = [
  'failed_active_health_check',
  'failed_outlier_check',
  'failed_active_degraded_check',
  'pending_dynamic_removal',
  'pending_active_hc',
  'excluded_via_immediate_hc_fail',
  'active_hc_timeout',
];

function parseObject(text: string): Record<string, unknown> {
  const value: unknown = JSON.parse(text);
  if (typeof value !== 'object' || value === null) throw new TypeError('the admin listener sent no JSON object');
  return value as Record<string, unknown>;
}

function list(value: unknown, name: string): Record<string, unknown>[] {
  if (!Array.isArray(value)) throw new TypeError(`the admin listener sent no list "${name}"`);
  return value as Record<string, unknown>[];
}
