import type { NeighbourSpec, RegionSpec, ServiceSpec } from '../../core/spec/region.js';
import { networkLatency, probeProblems } from '../../core/tuning/networkLatency.js';
import type { NetworkLatency, ProbeTry } from '../../core/tuning/networkLatency.js';
import type { LatencyRound } from '../../core/tuning/networkLatencyComparison.js';
import { knownFields } from '../metrics/knownFields.js';
import type { MetricRow } from '../metrics/port.js';
import type { ProbeDestination, ProbeRequest, ProbeTarget } from './port.js';
import { triesOf } from './probeAnswer.js';

/** To one neighbour, from all hosts together, and from each at least. */
const TRIES = 20;
const LEAST_TRIES = 5;
const SPACING_MS = 50;
/** Below TCP's first time-out, 1 s: where the kernel does not tell of retransmissions, they are lost by this. */
const LEAST_TIMEOUT_MS = 900;
const MOST_TIMEOUT_MS = 30_000;

export interface ProbeOptions {
  /** Milliseconds since the epoch. */
  now: () => number;
  signal?: AbortSignal;
  /** From each host. */
  tries?: number;
  spacingMs?: number;
  timeoutMs?: number;
}

export interface NetworkProbes {
  latencies: readonly NetworkLatency[];
  problems: readonly string[];
}

/**
 * Measures the way to each neighbour from every host of the region, all at once: as the host's proxy would, its health
 * check of one service is asked of the neighbour's gateway. A host that cannot measure is a problem; one latency comes
 * back for each neighbour, `null` where it is not known. Rejects only when it is aborted.
 */
export async function probeNetwork(
  targets: readonly ProbeTarget[],
  spec: RegionSpec,
  options: ProbeOptions,
): Promise<NetworkProbes> {
  if (spec.neighbours.length === 0) return { latencies: [], problems: [] };
  const request = probeRequest(spec, targets.length, options);
  const asked = await Promise.allSettled(
    targets.map(async ({ host, probe }) => triesOf(await probe(request, options.signal), host)),
  );
  options.signal?.throwIfAborted();
  const problems = asked.flatMap((result, i) =>
    result.status === 'rejected' ? [`${targets[i]?.host}: ${wordsOf(result.reason)}`] : [],
  );
  const at = options.now();
  const latencies = spec.neighbours.map(({ name }) => {
    const tries = asked.flatMap((result): readonly ProbeTry[] =>
      result.status === 'fulfilled' ? (result.value.get(name) ?? []) : [],
    );
    const found = networkLatency(name, tries, at);
    problems.push(...probeProblems(found, tries));
    return found;
  });
  return { latencies, problems };
}

/** What each of `hosts` hosts is asked to try. */
export function probeRequest(
  spec: RegionSpec,
  hosts: number,
  options: Omit<ProbeOptions, 'now' | 'signal'> = {},
): ProbeRequest {
  const stated = Math.max(0, ...spec.neighbours.map(({ networkLatencyMs }) => networkLatencyMs));
  const patient = Math.max(LEAST_TIMEOUT_MS, 500 + 8 * stated);
  return {
    tries: options.tries ?? Math.max(LEAST_TRIES, Math.ceil(TRIES / Math.max(1, hosts))),
    spacingMs: options.spacingMs ?? SPACING_MS,
    timeoutMs: options.timeoutMs ?? Math.min(MOST_TIMEOUT_MS, patient),
    destinations: spec.neighbours.map((neighbour) => destination(neighbour, spec)),
  };
}

function destination({ name, gateway, spareRps }: NeighbourSpec, spec: RegionSpec): ProbeDestination {
  const spoken = spec.services.filter(({ protocol }) => protocol !== 'tcp');
  // gRPC's health is asked for in gRPC: any other service is asked first, and one that is known to be there.
  const rank = (service: ServiceSpec): number =>
    (service.protocol === 'grpc' ? 2 : 0) + ((spareRps[service.name] ?? 0) > 0 ? 0 : 1);
  const [asked] = [...spoken].sort((a, b) => rank(a) - rank(b));
  const mesh = spec.tls?.mesh;
  return {
    name,
    address: gateway.address,
    port: gateway.port,
    service: asked?.name ?? spec.services[0]?.name ?? name,
    ...(asked === undefined ? {} : { path: asked.healthPath }),
    ...(mesh === undefined ? {} : { tls: mesh }),
  };
}

function wordsOf(reason: unknown): string {
  const words = (reason as { message?: string }).message ?? String(reason);
  const older = /invalid choice: '?probe|psmg_probe/.test(words);
  return older ? 'the script on the host is older and cannot probe: it comes with the next deployment' : words;
}

/** One wide row a neighbour; what is not known has no field. */
export function networkRows(region: string, latencies: readonly NetworkLatency[]): MetricRow[] {
  return latencies.map((one): MetricRow => ({
    measurement: 'network',
    tags: { from_region: region, to_region: one.neighbour },
    at: one.at,
    fields: knownFields(Object.fromEntries(Object.entries(FIELDS).map(([field, key]) => [field, one[key]]))),
  }));
}

type Measured = Exclude<keyof NetworkLatency, 'neighbour' | 'at'>;

const FIELDS: Readonly<Record<string, Measured>> = {
  tries: 'tries',
  answers: 'answers',
  lost: 'lost',
  failed: 'failed',
  rtt_p50_ms: 'rttP50Ms',
  rtt_p50_low_ms: 'rttP50LowMs',
  rtt_p50_high_ms: 'rttP50HighMs',
  rtt_p90_ms: 'rttP90Ms',
  jitter_ms: 'jitterMs',
  handshake_p50_ms: 'handshakeP50Ms',
  loss_share: 'lossShare',
  loss_share_low: 'lossShareLow',
  loss_share_high: 'lossShareHigh',
};

/** The measurements that rows of `networkRows` hold, for `compareLatencies`. */
export function roundsOfRows(rows: readonly MetricRow[]): LatencyRound[] {
  return rows.flatMap(({ measurement, tags, at, fields }) => {
    const { to_region: neighbour } = tags;
    const { rtt_p50_ms: rttP50Ms } = fields;
    if (measurement !== 'network' || neighbour === undefined || rttP50Ms === undefined) return [];
    return [{ neighbour, at, rttP50Ms }];
  });
}
