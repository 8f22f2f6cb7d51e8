import type { ProxySnapshot, ServiceCounters } from '../../core/spec/observation.js';
import type { RegionSpec } from '../../core/spec/region.js';
import { STATS_PREFIX, rateLimitStat, unplannedName } from './names.js';

const WANTED = [
  `${STATS_PREFIX}\\.`,
  'ratelimit_[^.]+\\.http_local_rate_limit\\.rate_limited$',
  // Services only: the names of other clusters have an underscore.
  'cluster\\.[^._]+\\.upstream_rq_(retry|active)$',
];

/** Everything that `parseSnapshot` reads of the statistics, and little more. */
export const ADMIN_STATS_PATH = `/stats?format=json&histogram_buckets=detailed&filter=${encodeURIComponent(`^(${WANTED.join('|')})`)}`;
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
 * A service that nothing has asked for yet has zeros. Throws a SyntaxError or TypeError when a text is not what
 * Envoy's admin listener sends.
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
    const requests = stats.requests.filter((request) => request.service === name);
    const count = (matches: (request: Requests) => boolean): number =>
      requests.filter(matches).reduce((sum, request) => sum + request.count, 0);
    const flagged = (...flags: string[]): number => count((request) => flags.some((f) => request.flags.includes(f)));
    const answered = (from: string): number =>
      count((r) => r.region === from && !FAILED.some((f) => r.flags.includes(f)));
    return [
      name,
      {
        offered: count(() => true),
        responses2xx: count(({ code }) => code >= 200 && code < 300),
        responses4xx: count(({ code }) => code >= 400 && code < 500),
        responses5xx: count(({ code }) => code >= 500),
        rateLimited: flagged('RL'),
        rateLimitWould: value(`${rateLimitStat(name)}.http_local_rate_limit.rate_limited`),
        breakerOverflow: flagged('UO'),
        timeouts: flagged('UT'),
        retries: value(`cluster.${name}.upstream_rq_retry`),
        connectFailures: flagged('UF', 'UH', 'UC'),
        active: value(`cluster.${name}.upstream_rq_active`),
        healthyByRegion: Object.fromEntries(regions.map((one) => [one, health.get(`${name}/${one}`) ?? 0])),
        healthyUnplanned: health.get(`${unplannedName(name)}/${region.name}`) ?? 0,
        requestsByRegion: Object.fromEntries(regions.map((one) => [one, answered(one)])),
        latencyBuckets: mergeBuckets(stats.latencies.filter((latency) => latency.service === name)),
      },
    ];
  });
  return { host, at, services: Object.fromEntries(services) };
}

/** Flags of requests that no endpoint answered, though one may have been chosen. */
const FAILED = ['UF', 'UH', 'UC', 'UT', 'UO', 'RL'];
const REFUSED = ['RL', 'UO'];

interface Requests {
  service: string;
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

interface Latency {
  service: string;
  buckets: readonly Bucket[];
}

const REQUESTS = new RegExp(
  `^${STATS_PREFIX}\\.requests\\.service\\.(.*)\\.code\\.(\\d+)\\.flags\\.(.*)\\.region\\.(.*)$`,
);
const LATENCY = new RegExp(`^${STATS_PREFIX}\\.latency_us\\.service\\.(.*)\\.code\\.(\\d+)\\.flags\\.(.*)$`);

function readStats(text: string): { values: Map<string, number>; requests: Requests[]; latencies: Latency[] } {
  const values = new Map<string, number>();
  const requests: Requests[] = [];
  const latencies: Latency[] = [];
  for (const entry of list(parseObject(text)['stats'], 'stats')) {
    if ('histograms' in entry) latencies.push(...readHistograms(entry['histograms']));
    const name = entry['name'];
    if (typeof name !== 'string') continue;
    const value = Number(entry['value']);
    const match = REQUESTS.exec(name);
    if (match === null) values.set(name, value);
    else {
      const [, service = '', code, flags = '', region = ''] = match;
      requests.push({ service, code: Number(code), flags: flags.split(','), region, count: value });
    }
  }
  return { values, requests, latencies };
}

function readHistograms(value: unknown): Latency[] {
  const details = (value as { details?: unknown } | null)?.details ?? [];
  return list(details, 'histograms').flatMap((histogram): Latency[] => {
    const [, service = '', , flags = ''] = LATENCY.exec(String(histogram['name'])) ?? [];
    if (service === '' || flags.split(',').some((flag) => REFUSED.includes(flag))) return [];
    const buckets = list(histogram['totals'], 'totals').map((bucket): Bucket => {
      const low = Number(bucket['lower_bound']);
      return { lowMs: toMs(low), highMs: toMs(low + Number(bucket['width'])), count: Number(bucket['count']) };
    });
    return [{ service, buckets }];
  });
}

/** µs → ms; rounded, because Envoy's bounds carry the noise of their logarithms (229.99999999999997). */
function toMs(us: number): number {
  return Number((us / 1000).toFixed(6));
}

function mergeBuckets(latencies: readonly Latency[]): Bucket[] {
  const merged = new Map<number, Bucket>();
  for (const bucket of latencies.flatMap((latency) => latency.buckets)) {
    const count = (merged.get(bucket.lowMs)?.count ?? 0) + bucket.count;
    merged.set(bucket.lowMs, { ...bucket, count });
  }
  return [...merged.values()].sort((a, b) => a.lowMs - b.lowMs);
}

/** Healthy endpoints by `<service>/<region>`. An endpoint that fails one check of several is not healthy. */
function readHealth(text: string): Map<string, number> {
  const healthy = new Map<string, number>();
  for (const cluster of list(parseObject(text)['cluster_statuses'] ?? [], 'cluster_statuses')) {
    for (const endpoint of list(cluster['host_statuses'] ?? [], 'host_statuses')) {
      const locality = endpoint['locality'] as { sub_zone?: string } | undefined;
      const status = (endpoint['health_status'] ?? {}) as Record<string, unknown>;
      if (UNHEALTHY.some((flag) => status[flag] === true) || status['eds_health_status'] !== 'HEALTHY') continue;
      const key = `${String(cluster['name'])}/${locality?.sub_zone ?? ''}`;
      healthy.set(key, (healthy.get(key) ?? 0) + 1);
    }
  }
  return healthy;
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
