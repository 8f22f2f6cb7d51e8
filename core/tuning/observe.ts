import type { Observation, ProxySnapshot, ServiceObservation } from '../spec/observation.js';
import { newest } from './newest.js';
import { hostDelta } from './observeHost.js';
import type { Counter, ReadingRules, ServiceDelta } from './observeHost.js';
import { mergeBuckets, quantileOfBuckets } from './quantile.js';
import type { LatencyBucket } from './quantile.js';

/**
 * Turns two readings of the proxies into one record. A proxy that is missing in either reading, whose readings are too
 * far apart or too old, or that restarted in between (a counter went down) leaves the record incomplete and adds
 * nothing: never a negative number, and never a zero for what was not measured. What proxies do not tell (CPU, memory,
 * saturation, forecast, a second source) is `null` or empty; see saturation.ts, crossCheck.ts, observeForecast.ts.
 *
 * Histograms are merged over the proxies, as differences, before quantiles are taken. `at`: ISO 8601, UTC.
 */
export function observe(
  region: string,
  expectedHosts: readonly string[],
  previous: readonly ProxySnapshot[],
  current: readonly ProxySnapshot[],
  at: string,
  rules: ReadingRules = {},
): Observation {
  const atMs = Date.parse(at);
  const problems: string[] = [];
  const complete: ReadonlyMap<string, ServiceDelta>[] = [];
  const hosts = [...new Set(expectedHosts)];
  for (const host of hosts) {
    const delta = hostDelta(region, host, newest(previous, host), newest(current, host), atMs, rules);
    if (delta.ok) complete.push(delta.services);
    else problems.push(delta.problem);
  }
  const strangers = new Set(current.map((s) => s.host).filter((host) => !hosts.includes(host)));
  for (const host of strangers) problems.push(`${host}: answered, but is not a host of ${region}; left out`);

  const names = [...new Set(complete.flatMap((services) => [...services.keys()]))].sort();
  const services = names.map((service) => {
    const deltas = complete.flatMap((known) => known.get(service) ?? []);
    return mergeService(service, deltas, { proxies: hosts.length, atMs });
  });
  const newestReadings = current.filter(({ host }) => hosts.includes(host)).map((snapshot) => snapshot.at);
  return {
    region,
    at,
    proxies: hosts.length,
    completeness: hosts.length === 0 ? 0 : complete.length / hosts.length,
    ageSeconds: newestReadings.length === 0 ? null : age(newestReadings, atMs),
    maxAgeSeconds: rules.maxAgeSeconds ?? null,
    services,
    contradictions: [],
    problems,
  };
}

function age(readAt: readonly number[], atMs: number): number {
  return Math.max(0, (atMs - Math.min(...readAt)) / 1000);
}

function mergeService(
  service: string,
  deltas: readonly ServiceDelta[],
  { proxies, atMs }: { proxies: number; atMs: number },
): ServiceObservation {
  const sum = (name: Counter): number => deltas.reduce((total, d) => total + d.counts[name], 0);
  const rateLimited = sum('rateLimited');
  const responses5xx = sum('responses5xx');
  // Refusals of the rate limit are among the 4xx.
  const answered = sum('responses2xx') + Math.max(0, sum('responses4xx') - rateLimited) + responses5xx;
  const breaker = sum('breakerOverflow');
  const timeout = sum('timeouts');
  const connect = sum('connectFailures');
  const ready = deltas.flatMap((d) => d.ready ?? []);
  return {
    service,
    windowSeconds: Math.max(...deltas.map((d) => d.seconds)),
    requests: sum('offered'),
    rps: deltas.reduce((total, d) => total + d.counts.offered / d.seconds, 0),
    errorRate: answered === 0 ? null : responses5xx / answered,
    errors: {
      // Attempts that were retried count in the proxy's own reasons too, so this can only be a floor.
      upstream5xx: Math.max(0, responses5xx - breaker - timeout - connect),
      breaker,
      rateLimited,
      timeout,
      connect,
    },
    ...latencies(mergeBuckets(deltas.map((d) => d.buckets))),
    active: deltas.reduce((total, d) => total + d.active, 0),
    retries: sum('retries'),
    readyInstances: ready.length === 0 ? null : Math.min(...ready),
    readyInstancesMost: ready.length === 0 ? null : Math.max(...ready),
    saturation: { busy: null, cpu: null },
    cpuCores: null,
    memoryMiB: null,
    shareByRegion: shares(deltas),
    forecast: null,
    completeness: deltas.length / proxies,
    ageSeconds: age(
      deltas.map((d) => d.readAt),
      atMs,
    ),
  };
}

type Latencies = Pick<ServiceObservation, 'p50Ms' | 'p50ErrorMs' | 'p90Ms' | 'p90ErrorMs' | 'p99Ms' | 'p99ErrorMs'>;

function latencies(buckets: readonly LatencyBucket[]): Latencies {
  const [p50, p90, p99] = [0.5, 0.9, 0.99].map((q) => quantileOfBuckets(buckets, q));
  // JSON has no infinity: an open bucket has no bound.
  const bound = (errorMs: number | undefined): number | null =>
    errorMs === undefined || !Number.isFinite(errorMs) ? null : errorMs;
  return {
    p50Ms: p50?.valueMs ?? null,
    p50ErrorMs: bound(p50?.errorMs),
    p90Ms: p90?.valueMs ?? null,
    p90ErrorMs: bound(p90?.errorMs),
    p99Ms: p99?.valueMs ?? null,
    p99ErrorMs: bound(p99?.errorMs),
  };
}

function shares(deltas: readonly ServiceDelta[]): Readonly<Record<string, number>> {
  const byRegion: Record<string, number> = {};
  for (const delta of deltas) {
    for (const [region, count] of Object.entries(delta.requestsByRegion)) {
      byRegion[region] = (byRegion[region] ?? 0) + count;
    }
  }
  const total = Object.values(byRegion).reduce((sum, count) => sum + count, 0);
  if (total === 0) return {};
  return Object.fromEntries(Object.entries(byRegion).map(([region, count]) => [region, count / total]));
}
