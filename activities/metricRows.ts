import { knownFields } from '../adapters/metrics/knownFields.js';
import type { MetricRow } from '../adapters/metrics/port.js';
import type { Observation, ServiceObservation } from '../core/spec/observation.js';
import { windowOf } from '../core/tuning/ownWindows.js';
import type { OwnWindow } from '../core/tuning/ownWindows.js';

/** One wide row a service and one for the region: what charts and the next forecast read; docs/metrics.md. */
export function metricRows(observation: Observation): MetricRow[] {
  const { region, services, contradictions } = observation;
  const at = Date.parse(observation.at);
  const rows = services.map((seen): MetricRow => {
    const contradicted = contradictions.filter(({ service }) => service === seen.service).length;
    const tags = { region, service: seen.service };
    return {
      measurement: 'service',
      tags,
      at,
      fields: knownFields({ ...serviceFields(region, seen), contradictions: contradicted }),
    };
  });
  return [...rows, { measurement: 'region', tags: { region }, at, fields: knownFields(regionFields(observation)) }];
}

type Fields = Readonly<Record<string, number | null>>;

function serviceFields(region: string, s: ServiceObservation): Fields {
  const answeredSomewhere = Object.keys(s.shareByRegion).length > 0;
  return {
    window_seconds: s.windowSeconds,
    requests: s.requests,
    rps: s.rps,
    error_rate: s.errorRate,
    upstream_5xx: s.errors.upstream5xx,
    breaker_overflow: s.errors.breaker,
    rate_limited: s.errors.rateLimited,
    timeouts: s.errors.timeout,
    connect_failures: s.errors.connect,
    retries: s.retries,
    p50_ms: s.p50Ms,
    p50_error_ms: s.p50ErrorMs,
    p90_ms: s.p90Ms,
    p90_error_ms: s.p90ErrorMs,
    p99_ms: s.p99Ms,
    p99_error_ms: s.p99ErrorMs,
    active: s.active,
    ready_instances: s.readyInstances,
    ready_instances_most: s.readyInstancesMost,
    busy_share: s.saturation.busy,
    cpu_share: s.saturation.cpu,
    cpu_cores: s.cpuCores,
    memory_mib: s.memoryMiB,
    local_share: answeredSomewhere ? (s.shareByRegion[region] ?? 0) : null,
    forecast_rps: s.forecast?.p50Rps ?? null,
    forecast_p95_rps: s.forecast?.p95Rps ?? null,
    forecast_error: s.forecast?.relativeError ?? null,
    above_p95: s.forecast === null ? null : Number(s.forecast.aboveP95),
    completeness: s.completeness,
    age_seconds: s.ageSeconds,
  };
}

/** What `ownWindows` needs of a row. */
export const OWN_WINDOW_FIELDS: readonly string[] = [
  'window_seconds',
  'age_seconds',
  'completeness',
  'requests',
  'rps',
  'rate_limited',
  'error_rate',
];

/** The windows that rows of `metricRows` tell of; one that not all proxies were in is none. */
export function ownWindows(rows: readonly MetricRow[]): OwnWindow[] {
  return rows.flatMap(({ tags: { service }, at, fields }): OwnWindow[] => {
    const { window_seconds: windowSeconds, age_seconds: ageSeconds = 0, completeness, requests, rps } = fields;
    if (service === undefined || windowSeconds === undefined || requests === undefined || rps === undefined) return [];
    if (!(windowSeconds > 0) || !(completeness !== undefined && completeness >= 1)) return [];
    const { error_rate: errorRate = null, rate_limited: rateLimited = 0 } = fields;
    return [windowOf({ service, windowSeconds, ageSeconds, requests, rps, errorRate, errors: { rateLimited } }, at)];
  });
}

function regionFields({ completeness, ageSeconds, proxies, problems, contradictions }: Observation): Fields {
  return {
    completeness,
    age_seconds: ageSeconds,
    proxies,
    problems: problems.length,
    contradictions: contradictions.length,
  };
}
