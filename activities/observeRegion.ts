import type { ActivityRun, Ports } from './ports.js';
import { pause } from './applyIntent.js';
import { withTargets } from './targets.js';
import { PROXY_READERS } from '../adapters/mesh/readers.js';
import type { MetricRow } from '../adapters/metrics/port.js';
import type { Observation, ProxySnapshot } from '../core/spec/observation.js';
import type { RegionSpec } from '../core/spec/region.js';
import { observe } from '../core/tuning/observe.js';

export interface Snapshots {
  snapshots: readonly ProxySnapshot[];
  problems: readonly string[];
}

/** Counters of every proxy that answers; one that does not makes the observation incomplete, it does not fail it. */
export async function takeSnapshots(ports: Ports, spec: RegionSpec, run: ActivityRun): Promise<Snapshots> {
  const reader = PROXY_READERS[spec.mesh.kind];
  return withTargets(ports, spec, async (targets) => {
    const read = await Promise.allSettled(
      targets.map((target) => reader.snapshot(target, spec, () => ports.now(), run.signal)),
    );
    run.signal.throwIfAborted();
    return {
      snapshots: read.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : [])),
      problems: read.flatMap((result, i) =>
        result.status === 'rejected' ? [`${targets[i]?.host ?? i}: ${String(result.reason)}`] : [],
      ),
    };
  });
}

export function observationOf(
  spec: RegionSpec,
  previous: readonly ProxySnapshot[],
  current: Snapshots,
  nowMs: number,
): Observation {
  const hosts = spec.delivery.hosts.map((host) => host.name);
  const seen = observe(spec.name, hosts, previous, current.snapshots, new Date(nowMs).toISOString());
  return { ...seen, problems: [...seen.problems, ...current.problems] };
}

/** Watches for a stated time between two snapshots. */
export async function observeFor(
  ports: Ports,
  spec: RegionSpec,
  durationMs: number,
  run: ActivityRun,
): Promise<{ observation: Observation; last: readonly ProxySnapshot[] }> {
  const before = await takeSnapshots(ports, spec, run);
  const endMs = ports.now() + durationMs;
  while (ports.now() < endMs) {
    run.progress('watching');
    await pause(Math.min(1000, endMs - ports.now()));
    run.signal.throwIfAborted();
  }
  const after = await takeSnapshots(ports, spec, run);
  return { observation: observationOf(spec, before.snapshots, after, ports.now()), last: after.snapshots };
}

/** Ready instances of our own region by service: what the proxy that sees the fewest sees. */
export function readyInstances(spec: RegionSpec, snapshots: readonly ProxySnapshot[]): Record<string, number> {
  const ready: Record<string, number> = {};
  for (const { name } of spec.services) {
    const counts = snapshots.map(({ services: { [name]: seen } }) => {
      // Those that are up without being planned are capacity too: it is used once it is known.
      return (seen?.healthyByRegion[spec.name] ?? 0) + (seen?.healthyUnplanned ?? 0);
    });
    ready[name] = counts.length === 0 ? 0 : Math.min(...counts);
  }
  return ready;
}

/** One wide row a service: what charts and the next forecast read. A value that is missing has no field. */
export function metricRows(
  spec: RegionSpec,
  observation: Observation,
  forecastRps: Readonly<Record<string, number>>,
): MetricRow[] {
  const at = Date.parse(observation.at);
  return observation.services.map((s) => ({
    measurement: 'service',
    tags: { region: spec.name, service: s.service },
    at,
    fields: {
      rps: s.rps,
      requests: s.requests,
      ready_instances: s.readyInstances,
      rate_limited: s.errors.rateLimited,
      breaker_overflow: s.errors.breaker,
      upstream_5xx: s.errors.upstream5xx,
      timeouts: s.errors.timeout,
      retries: s.retries,
      completeness: observation.completeness,
      ...(s.errorRate === null ? {} : { error_rate: s.errorRate }),
      ...(s.p50Ms === null ? {} : { p50_ms: s.p50Ms }),
      ...(s.p99Ms === null ? {} : { p99_ms: s.p99Ms }),
      ...(forecastRps[s.service] === undefined ? {} : { forecast_rps: forecastRps[s.service] ?? 0 }),
    },
  }));
}
