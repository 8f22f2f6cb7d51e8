import type { Observation, ProxySnapshot, ServiceCounters, ServiceObservation } from '../spec/observation.js';
import { bucketDelta, mergeBuckets, quantileOfBuckets } from './quantile.js';
import type { LatencyBucket } from './quantile.js';

const COUNTERS = [
  'offered',
  'responses2xx',
  'responses4xx',
  'responses5xx',
  'rateLimited',
  'rateLimitWould',
  'breakerOverflow',
  'timeouts',
  'retries',
  'connectFailures',
] as const satisfies readonly (keyof ServiceCounters)[];
type Counter = (typeof COUNTERS)[number];

/** What one proxy did for one service between two snapshots. */
interface ServiceDelta {
  counts: Readonly<Record<Counter, number>>;
  requestsByRegion: Readonly<Record<string, number>>;
  buckets: readonly LatencyBucket[];
  active: number;
  ready: number;
  seconds: number;
}

type HostDelta = { ok: true; services: ReadonlyMap<string, ServiceDelta> } | { ok: false; problem: string };

/**
 * Turns two readings of the proxies into one record. A proxy that is missing in either reading, or that restarted in
 * between (a counter went down), leaves the record incomplete and adds nothing: never a negative number.
 *
 * `errorRate` is 5xx over requests answered, those refused by the rate limit left out on both sides. `p50Ms` and
 * `p99Ms` come from the merged histograms and are off by at most the width of their bucket. `readyInstances` is the
 * fewest that any proxy sees as healthy. `at`: ISO 8601, UTC.
 */
export function observe(
  region: string,
  expectedHosts: readonly string[],
  previous: readonly ProxySnapshot[],
  current: readonly ProxySnapshot[],
  at: string,
): Observation {
  const problems: string[] = [];
  const complete: ReadonlyMap<string, ServiceDelta>[] = [];
  const hosts = [...new Set(expectedHosts)];
  for (const host of hosts) {
    const delta = hostDelta(region, host, newest(previous, host), newest(current, host));
    if (delta.ok) complete.push(delta.services);
    else problems.push(delta.problem);
  }
  const strangers = new Set(current.map((s) => s.host).filter((host) => !hosts.includes(host)));
  for (const host of strangers) problems.push(`${host}: answered, but is not a host of ${region}; left out`);

  const names = [...new Set(complete.flatMap((services) => [...services.keys()]))].sort();
  return {
    region,
    at,
    completeness: hosts.length === 0 ? 0 : complete.length / hosts.length,
    services: names.map((service) =>
      mergeService(
        service,
        complete.flatMap((services) => services.get(service) ?? []),
      ),
    ),
    problems,
  };
}

function newest(snapshots: readonly ProxySnapshot[], host: string): ProxySnapshot | undefined {
  return snapshots.filter((s) => s.host === host).sort((a, b) => b.at - a.at)[0];
}

function hostDelta(
  region: string,
  host: string,
  before: ProxySnapshot | undefined,
  after: ProxySnapshot | undefined,
): HostDelta {
  if (after === undefined) return { ok: false, problem: `${host}: did not answer` };
  if (before === undefined) return { ok: false, problem: `${host}: no earlier reading to compare with` };
  if (after.at <= before.at) return { ok: false, problem: `${host}: no time passed between the two readings` };
  const seconds = (after.at - before.at) / 1000;
  const services = new Map<string, ServiceDelta>();
  for (const name of new Set([...Object.keys(before.services), ...Object.keys(after.services)])) {
    const from = before.services[name];
    const to = after.services[name];
    if (from === undefined || to === undefined) {
      return { ok: false, problem: `${host}: ${name} is in one reading only` };
    }
    const delta = serviceDelta(region, from, to, seconds);
    if (delta === null) {
      return { ok: false, problem: `${host}: counters of ${name} went down, the proxy restarted in between` };
    }
    services.set(name, delta);
  }
  return { ok: true, services };
}

function serviceDelta(
  region: string,
  before: ServiceCounters,
  after: ServiceCounters,
  seconds: number,
): ServiceDelta | null {
  const differences = COUNTERS.map((name) => [name, after[name] - before[name]] as const);
  if (differences.some(([, difference]) => difference < 0)) return null;
  const buckets = bucketDelta(before.latencyBuckets, after.latencyBuckets);
  if (buckets === null) return null;
  const requestsByRegion: Record<string, number> = {};
  for (const key of new Set([...Object.keys(before.requestsByRegion), ...Object.keys(after.requestsByRegion)])) {
    const difference = (after.requestsByRegion[key] ?? 0) - (before.requestsByRegion[key] ?? 0);
    if (difference < 0) return null;
    requestsByRegion[key] = difference;
  }
  return {
    counts: Object.fromEntries(differences) as Record<Counter, number>,
    requestsByRegion,
    buckets,
    active: after.active,
    ready: (after.healthyByRegion[region] ?? 0) + (after.healthyUnplanned ?? 0),
    seconds,
  };
}

function mergeService(service: string, deltas: readonly ServiceDelta[]): ServiceObservation {
  const sum = (name: Counter): number => deltas.reduce((total, d) => total + d.counts[name], 0);
  const requests = sum('offered');
  const rateLimited = sum('rateLimited');
  const responses5xx = sum('responses5xx');
  // Refusals of the rate limit are among the 4xx.
  const answered = sum('responses2xx') + Math.max(0, sum('responses4xx') - rateLimited) + responses5xx;
  const buckets = mergeBuckets(deltas.map((d) => d.buckets));
  const breaker = sum('breakerOverflow');
  const timeout = sum('timeouts');
  const connect = sum('connectFailures');
  return {
    service,
    windowSeconds: Math.max(...deltas.map((d) => d.seconds)),
    requests,
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
    p50Ms: quantileOfBuckets(buckets, 0.5)?.valueMs ?? null,
    p99Ms: quantileOfBuckets(buckets, 0.99)?.valueMs ?? null,
    active: deltas.reduce((total, d) => total + d.active, 0),
    retries: sum('retries'),
    readyInstances: Math.min(...deltas.map((d) => d.ready)),
    shareByRegion: shares(deltas),
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
