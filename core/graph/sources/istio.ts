import { ok, refused } from '../../spec/problem.js';
import type { Problem, Result } from '../../spec/problem.js';
import type { EdgeSet } from '../edgeSet.js';
import { edgesOfCounts } from './countedCalls.js';
import type { CountedCall } from './countedCalls.js';
import { addBucket, latencyOf } from './histogram.js';
import type { Buckets } from './histogram.js';
import { countOf, shown } from './numbers.js';
import { isOutside } from './outside.js';
import { parsePrometheusText } from './prometheusText.js';
import type { Sample } from './prometheusText.js';

const REQUESTS = 'istio_requests_total';
const DURATION = 'istio_request_duration_milliseconds_bucket';
const BYTES = new Set(['istio_request_bytes_sum', 'istio_response_bytes_sum']);
/** Both ends of a call count it. The callee's sidecar also sees callers without one, so its word is taken first. */
const REPORTERS = ['destination', 'waypoint', 'source'];
const UNNAMED = new Set(['', 'unknown']);

/**
 * Reads Istio's standard metrics: `istio_requests_total{reporter, source_canonical_service, source_workload, …}`, the
 * duration's histogram for latency and the bytes' sums for size. Services are named by canonical service, else workload,
 * else (a callee without a sidecar) by the service called. Requests of an ingress gateway or of an unknown source
 * arrive from outside. Each pair of services is counted by one reporter alone.
 */
export function parseIstio(text: string, file: string): Result<EdgeSet> {
  const { samples, problems } = parsePrometheusText(text, file);
  const pairs = new Map<string, Pair>();
  const namespaces = new Map<string, Set<string>>();
  for (const sample of samples) readSample(sample, file, pairs, namespaces, problems);
  if (pairs.size === 0 && problems.length === 0) {
    const message = 'has no sample';
    problems.push({ code: 'graph-empty', file, field: REQUESTS, message, expected: "Istio's standard metrics" });
  }
  if (problems.length > 0) return refused(problems);
  const outside = new Map<string, number>();
  const calls: CountedCall[] = [];
  for (const pair of pairs.values()) {
    const reporter = bestReporter(pair);
    const count = pair.requests.get(reporter) ?? 0;
    if (isOutside(pair.caller)) outside.set(pair.callee, (outside.get(pair.callee) ?? 0) + count);
    else calls.push({ caller: pair.caller, callee: pair.callee, count, ...details(pair, reporter, count) });
  }
  const edges = edgesOfCounts({ source: file, calls, outside, notes: namespaceNotes(namespaces) });
  return edges.ok ? ok(edges.value) : edges;
}

interface Pair {
  caller: string;
  callee: string;
  /** By reporter. */
  requests: Map<string, number>;
  bytes: Map<string, number>;
  durations: Map<string, Buckets>;
}

function readSample(
  { name, labels, value, line }: Sample,
  file: string,
  pairs: Map<string, Pair>,
  namespaces: Map<string, Set<string>>,
  problems: Problem[],
): void {
  if (name !== REQUESTS && name !== DURATION && !BYTES.has(name)) return;
  const at = { code: 'graph-sample', file, ...(line > 0 ? { line } : {}), field: name };
  const caller = nameOf(labels, 'source') ?? 'unknown';
  const callee = nameOf(labels, 'destination') ?? serviceName(labels);
  if (callee === null) {
    problems.push({ ...at, message: 'names no destination', expected: 'a label "destination_canonical_service"' });
    return;
  }
  if (countOf(value) === null) {
    problems.push({ ...at, message: `has the value ${shown(value)}`, expected: 'a count ≥ 0' });
    return;
  }
  for (const [end, service] of Object.entries({ source: caller, destination: callee })) {
    const namespace = labels[`${end}_workload_namespace`] ?? '';
    if (!UNNAMED.has(namespace)) namespaces.set(service, (namespaces.get(service) ?? new Set()).add(namespace));
  }
  const key = JSON.stringify([caller, callee]);
  const fresh: Pair = { caller, callee, requests: new Map(), bytes: new Map(), durations: new Map() };
  const pair = pairs.get(key) ?? fresh;
  pairs.set(key, pair);
  const reporter = labels['reporter'] ?? '';
  if (name === REQUESTS) pair.requests.set(reporter, (pair.requests.get(reporter) ?? 0) + value);
  else if (BYTES.has(name)) pair.bytes.set(reporter, (pair.bytes.get(reporter) ?? 0) + value);
  else if (!addBucket(pair.durations, reporter, labels['le'], value)) {
    problems.push({ ...at, message: `has the bound ${shown(labels['le'])}`, expected: 'a number' });
  }
}

function nameOf(labels: Readonly<Record<string, string>>, end: 'source' | 'destination'): string | null {
  const names = ['canonical_service', 'workload', 'app'].map((key) => labels[`${end}_${key}`] ?? '');
  return names.find((name) => !UNNAMED.has(name)) ?? null;
}

/** `destination_service_name`, or the first label of `destination_service`'s host. */
function serviceName(labels: Readonly<Record<string, string>>): string | null {
  const host = (labels['destination_service'] ?? '').split('.')[0] ?? '';
  return [labels['destination_service_name'] ?? '', host].find((name) => !UNNAMED.has(name)) ?? null;
}

function bestReporter({ requests }: Pair): string {
  return REPORTERS.find((reporter) => (requests.get(reporter) ?? 0) > 0) ?? [...requests.keys()].sort()[0] ?? '';
}

function details(pair: Pair, reporter: string, count: number): Pick<CountedCall, 'latency' | 'bytesPerCall'> {
  const latency = latencyOf(pair.durations.get(reporter), 1);
  const bytes = pair.bytes.get(reporter);
  return {
    ...(latency === null ? {} : { latency }),
    ...(bytes === undefined || count === 0 ? {} : { bytesPerCall: bytes / count }),
  };
}

function namespaceNotes(namespaces: ReadonlyMap<string, ReadonlySet<string>>): string[] {
  return [...namespaces].flatMap(([service, found]) =>
    found.size > 1
      ? [`${service} is in several namespaces (${[...found].sort().join(', ')}): they are taken as one`]
      : [],
  );
}
