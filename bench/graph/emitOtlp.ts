import { createRandom, normal } from '../../core/forecast/random.js';
import type { ServiceGraph } from '../../core/spec/graph.js';

/** No trace of a real system is so large; graphs with circles could make one. */
const MAX_SPANS = 5000;
const START_MS = 1_767_225_600_000;

interface Writing {
  graph: ServiceGraph;
  outgoing: ReadonlyMap<string, ServiceGraph['edges']>;
  /** What every edge owes in fractions of a call: so that shares come out exactly, and not only on average. */
  owed: Map<object, number>;
  spans: Map<string, object[]>;
  random: () => number;
  count: number;
}

/** One trace for each request, one line for each trace: an `ExportTraceServiceRequest` in OTLP's JSON form. */
export function emitOtlp(input: { graph: ServiceGraph; entries: Readonly<Record<string, number>> }): string {
  const outgoing = new Map<string, ServiceGraph['edges'][number][]>();
  for (const edge of input.graph.edges) outgoing.set(edge.caller, [...(outgoing.get(edge.caller) ?? []), edge]);
  const random = createRandom(7);
  const owed = new Map<object, number>();
  const lines: string[] = [];
  for (const [entry, count] of Object.entries(input.entries)) {
    for (let i = 0; i < count; i++) {
      const writing = { graph: input.graph, outgoing, owed, spans: new Map<string, object[]>(), random, count: 0 };
      const traceId = hex(lines.length + 1, 32);
      writeRequest(writing, { traceId, parentSpanId: '', service: entry, startMs: START_MS + 1000 * lines.length });
      const resourceSpans = [...writing.spans].map(([service, spans]) => ({
        resource: { attributes: [attribute('service.name', service)] },
        scopeSpans: [{ scope: { name: 'http' }, spans }],
      }));
      lines.push(JSON.stringify({ resourceSpans }));
    }
  }
  return `${lines.join('\n')}\n`;
}

interface Request {
  traceId: string;
  parentSpanId: string;
  service: string;
  startMs: number;
}

/** Returns when the request ends. */
function writeRequest(writing: Writing, { traceId, parentSpanId, service, startMs }: Request): number {
  const spanId = hex(++writing.count, 16);
  let nowMs = startMs + 2 * Math.exp(0.5 * normal(writing.random));
  for (const edge of writing.outgoing.get(service) ?? []) {
    const calls = (writing.owed.get(edge) ?? 0.5) + edge.callsPerRequest;
    writing.owed.set(edge, calls - Math.floor(calls));
    for (let i = 0; i < Math.floor(calls) && writing.count < MAX_SPANS; i++) {
      const clientId = hex(++writing.count, 16);
      const request = { traceId, parentSpanId: clientId, service: edge.callee, startMs: nowMs + 0.3 };
      const endMs = writeRequest(writing, request) + 0.3;
      push(writing, service, span(traceId, clientId, spanId, `GET ${edge.callee}`, 3, nowMs, endMs));
      nowMs = endMs;
    }
  }
  push(writing, service, span(traceId, spanId, parentSpanId, `GET /${service}`, 2, startMs, nowMs));
  return nowMs;
}

function span(
  traceId: string,
  spanId: string,
  parentSpanId: string,
  name: string,
  kind: number,
  startMs: number,
  endMs: number,
): object {
  const attributes =
    kind === 2 ? [attribute('http.request.method', 'GET'), attribute('http.route', name.slice(4))] : [];
  return { traceId, spanId, parentSpanId, name, kind, ...times(startMs, endMs), attributes };
}

function times(startMs: number, endMs: number): object {
  return { startTimeUnixNano: nanos(startMs), endTimeUnixNano: nanos(endMs) };
}

function nanos(ms: number): string {
  return `${Math.floor(ms)}${String(Math.floor((ms % 1) * 1e6)).padStart(6, '0')}`;
}

function push(writing: Writing, service: string, one: object): void {
  writing.spans.set(service, [...(writing.spans.get(service) ?? []), one]);
}

function attribute(key: string, value: string): object {
  return { key, value: { stringValue: value } };
}

function hex(number: number, length: number): string {
  return number.toString(16).padStart(length, '0');
}
