import { ok, refused } from '../../spec/problem.js';
import type { Problem, Result } from '../../spec/problem.js';
import type { EdgeSet, SourcedEdge } from '../edgeSet.js';
import { measuredConfidence } from '../edgeSet.js';
import { addBucket, latencyOf } from './histogram.js';
import type { Buckets } from './histogram.js';
import { countOf } from './numbers.js';
import { parsePrometheusText } from './prometheusText.js';
import type { Sample } from './prometheusText.js';

const METRIC = 'traces_service_graph_request_total';
const SERVER_SECONDS = 'traces_service_graph_request_server_seconds_bucket';
/** The connector's name for a caller outside the traces; older versions leave it empty. */
const OUTSIDE = new Set(['user', '']);
/** Stores and brokers take no part in the mesh: nothing routes to them. */
const NOT_ROUTED = new Set(['database', 'messaging_system']);

/**
 * Reads what the OpenTelemetry servicegraph connector counts:
 * `traces_service_graph_request_total{client,server,connection_type}`. Calls per request of an edge are its requests
 * over the requests that arrived at its caller, entry traffic (client "user" or empty) included. Samples of one edge
 * from several collectors or with more labels are summed. A caller of which no arrival was counted has no rate: the
 * file is refused, because leaving the edge out would plan too little for the callee. Latency is from
 * `traces_service_graph_request_server_seconds` where that is there.
 */
export function parseOtelServicegraph(text: string, file: string): Result<EdgeSet> {
  const { samples, problems } = parsePrometheusText(text, file);
  const own = samples.filter((sample) => sample.name === METRIC);
  problems.push(...own.flatMap((sample) => sampleProblems(sample, file)));
  if (own.length === 0 && problems.length === 0) {
    problems.push({
      code: 'graph-empty',
      file,
      field: METRIC,
      message: 'has no sample',
      expected: 'metrics of the OpenTelemetry servicegraph connector',
    });
  }
  if (problems.length > 0) return refused(problems);
  const notes = new Set<string>();
  const routed = own.filter((sample) => isRouted(sample, notes));
  const buckets = serverBuckets(samples, file, problems);
  return problems.length > 0 ? refused(problems) : toEdges(routed, buckets, [...notes], file);
}

function serverBuckets(samples: readonly Sample[], file: string, problems: Problem[]): Map<string, Buckets> {
  const buckets = new Map<string, Buckets>();
  for (const { name, labels, value, line } of samples) {
    if (name !== SERVER_SECONDS) continue;
    const key = JSON.stringify([labels['client'] ?? '', labels['server'] ?? '']);
    if (addBucket(buckets, key, labels['le'], value)) continue;
    const message = `has the bound ${JSON.stringify(labels['le'])} and the value ${value}`;
    problems.push({ code: 'graph-sample', file, line, field: SERVER_SECONDS, message });
  }
  return buckets;
}

function sampleProblems(sample: Sample, file: string): Problem[] {
  const at = { code: 'graph-sample', file, line: sample.line, field: METRIC };
  const problems: Problem[] = [];
  if ((sample.labels['server'] ?? '') === '') problems.push({ ...at, message: 'has no label "server"' });
  if (countOf(sample.value) === null) {
    problems.push({ ...at, message: `has the value ${sample.value}`, expected: 'a count ≥ 0' });
  }
  return problems;
}

function isRouted(sample: Sample, notes: Set<string>): boolean {
  const type = sample.labels['connection_type'] ?? '';
  if (!NOT_ROUTED.has(type)) return true;
  notes.add(`${sample.labels['server'] ?? ''} is a ${type.replace('_', ' ')}: calls to it are not routed by the mesh`);
  return false;
}

function toEdges(
  samples: readonly Sample[],
  buckets: ReadonlyMap<string, Buckets>,
  notes: readonly string[],
  file: string,
): Result<EdgeSet> {
  const arrivals = new Map<string, number>();
  const requests = new Map<string, { caller: string; callee: string; count: number; line: number }>();
  for (const { labels, value, line } of samples) {
    const [caller, callee] = [labels['client'] ?? '', labels['server'] ?? ''];
    arrivals.set(callee, (arrivals.get(callee) ?? 0) + value);
    if (OUTSIDE.has(caller)) continue;
    const key = JSON.stringify([caller, callee]);
    const edge = requests.get(key) ?? { caller, callee, count: 0, line };
    requests.set(key, { ...edge, count: edge.count + value });
  }
  const edges: SourcedEdge[] = [];
  const problems: Problem[] = [];
  for (const [key, { caller, callee, count, line }] of requests) {
    if (count === 0) continue;
    const arrived = arrivals.get(caller) ?? 0;
    if (arrived === 0) {
      problems.push({
        code: 'graph-no-arrivals',
        file,
        line,
        field: METRIC,
        message: `${caller} calls ${callee}, but no request that arrived at ${caller} was counted`,
        fix: 'collect the entry traffic too (client="user"), or state the edge in graph.edges',
      });
      continue;
    }
    const confidence = measuredConfidence(Math.min(count, arrived));
    const latency = latencyOf(buckets.get(key), 1000);
    edges.push({
      caller,
      callee,
      callsPerRequest: count / arrived,
      source: file,
      confidence,
      basis: 'measured',
      requests: Math.max(1, arrived),
      ...(latency === null ? {} : { latency }),
    });
  }
  return problems.length > 0 ? refused(problems) : ok({ edges, notes, services: [...arrivals.keys()].sort() });
}
