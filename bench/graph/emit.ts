import { propagateDemand } from '../../core/graph/propagate.js';
import type { ServiceGraph } from '../../core/spec/graph.js';
import { emitOtlp } from './emitOtlp.js';

export interface EmitInput {
  graph: ServiceGraph;
  /** Requests that enter at each of these. */
  entries: Readonly<Record<string, number>>;
}

/** The kinds that carry calls per request, each as its own tools would write what happened. */
export const EMITTED_KINDS = ['yaml', 'otel-servicegraph', 'istio', 'jaeger', 'zipkin', 'kiali', 'otlp'] as const;
export type EmittedKind = (typeof EMITTED_KINDS)[number];

/** Seconds that Kiali's rates are taken over. */
const DURATION_SECONDS = 600;

/** What a source of this kind would tell of a graph under these requests. Counters are exact; traces are whole calls. */
export const EMIT: Readonly<Record<EmittedKind, (input: EmitInput) => string>> = {
  yaml: ({ graph }) =>
    `edges:\n${graph.edges
      .map((e) => `  - { caller: ${q(e.caller)}, callee: ${q(e.callee)}, callsPerRequest: ${e.callsPerRequest} }\n`)
      .join('')}`,
  'otel-servicegraph': emitServicegraph,
  istio: emitIstio,
  jaeger: (input) => `${JSON.stringify({ data: links(input) })}\n`,
  zipkin: (input) => `${JSON.stringify(links(input))}\n`,
  kiali: emitKiali,
  otlp: (input) => emitOtlp(input),
};

interface Call {
  caller: string;
  callee: string;
  count: number;
}

function callsOf({ graph, entries }: EmitInput): Call[] {
  const demand = propagateDemand(graph, entries);
  if (!demand.ok) throw new Error(JSON.stringify(demand.problems));
  return graph.edges.map(({ caller, callee, callsPerRequest }) => ({
    caller,
    callee,
    count: (demand.value[caller] ?? 0) * callsPerRequest,
  }));
}

function links(input: EmitInput): object[] {
  return callsOf(input).map(({ caller, callee, count }) => ({ parent: caller, child: callee, callCount: count }));
}

/** Bounds in seconds; a call takes 20 ms at the median. */
const BOUNDS = [0.005, 0.01, 0.02, 0.04, 0.08, 0.16, Infinity];
const SHARES = [0.05, 0.2, 0.5, 0.8, 0.95, 1, 1];

function emitServicegraph(input: EmitInput): string {
  const total = 'traces_service_graph_request_total';
  const outside = Object.entries(input.entries).map(([callee, count]) => ({ caller: 'user', callee, count }));
  const lines = [...outside, ...callsOf(input)].flatMap(({ caller, callee, count }) => {
    const labels = `client=${q(caller)},server=${q(callee)},connection_type=""`;
    const buckets = BOUNDS.map((bound, i) => {
      const le = bound === Infinity ? '+Inf' : String(bound);
      return `traces_service_graph_request_server_seconds_bucket{${labels},le="${le}"} ${count * (SHARES[i] ?? 1)}`;
    });
    return [`${total}{${labels}} ${count}`, ...buckets];
  });
  return `# TYPE ${total} counter\n${lines.join('\n')}\n# EOF\n`;
}

/** Calls inside are told by both ends, those from the gateway too; what is told twice must not count twice. */
function emitIstio(input: EmitInput): string {
  const gateway = 'istio-ingressgateway';
  const outside = Object.entries(input.entries).map(([callee, count]) => ({ caller: gateway, callee, count }));
  const lines = [...outside, ...callsOf(input)].flatMap(({ caller, callee, count }) =>
    ['source', 'destination'].flatMap((reporter) => {
      const labels = `reporter="${reporter}",source_canonical_service=${q(caller)},source_workload=${q(`${caller}-v1`)},destination_canonical_service=${q(callee)},destination_workload=${q(`${callee}-v1`)},destination_service_name=${q(callee)}`;
      return [
        `istio_requests_total{${labels},response_code="200"} ${count * 0.99}`,
        `istio_requests_total{${labels},response_code="503"} ${count * 0.01}`,
        ...BOUNDS.map((bound, i) => {
          const le = bound === Infinity ? '+Inf' : String(bound * 1000);
          return `istio_request_duration_milliseconds_bucket{${labels},le="${le}"} ${count * (SHARES[i] ?? 1)}`;
        }),
        `istio_request_bytes_sum{${labels}} ${count * 300}`,
        `istio_response_bytes_sum{${labels}} ${count * 1700}`,
      ];
    }),
  );
  return `# TYPE istio_requests_total counter\n${lines.join('\n')}\n`;
}

/** Calls go through a node of the service called, as in Kiali's workload graph. */
function emitKiali(input: EmitInput): string {
  const calls = callsOf(input);
  const outside = Object.entries(input.entries).map(([callee, count]) => ({ caller: 'unknown', callee, count }));
  const nodes = new Map<string, object>([['w:unknown', { id: 'w:unknown', nodeType: 'unknown', workload: 'unknown' }]]);
  for (const name of input.graph.services) {
    nodes.set(`w:${name}`, { id: `w:${name}`, nodeType: 'workload', workload: `${name}-v1`, app: name, version: 'v1' });
    nodes.set(`s:${name}`, { id: `s:${name}`, nodeType: 'service', service: `${name}-svc` });
  }
  const arrivals = new Map<string, number>();
  for (const { callee, count } of [...outside, ...calls]) arrivals.set(callee, (arrivals.get(callee) ?? 0) + count);
  const edge = (source: string, target: string, count: number): object => ({
    data: {
      id: `${source}>${target}`,
      source,
      target,
      traffic: { protocol: 'http', rates: { http: String(count / DURATION_SECONDS), httpPercentReq: '100.0' } },
    },
  });
  const edges = [
    ...[...outside, ...calls].map(({ caller, callee, count }) => edge(`w:${caller}`, `s:${callee}`, count)),
    ...[...arrivals].map(([callee, count]) => edge(`s:${callee}`, `w:${callee}`, count)),
  ];
  const elements = { nodes: [...nodes.values()].map((data) => ({ data })), edges };
  return `${JSON.stringify({ timestamp: 1_767_225_600, duration: DURATION_SECONDS, graphType: 'workload', elements }, null, 1)}\n`;
}

function q(text: string): string {
  return JSON.stringify(text);
}
