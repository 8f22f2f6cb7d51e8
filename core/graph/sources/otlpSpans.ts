import { isRecord } from '../../spec/rawDocument.js';
import type { Raw } from '../../spec/rawDocument.js';
import type { JsonPart } from './jsonText.js';
import { shown } from './numbers.js';

export type SpanKind = 'internal' | 'server' | 'client' | 'producer' | 'consumer';

export interface Span {
  /** Of trace and span together. */
  key: string;
  /** Null for a root. */
  parentKey: string | null;
  traceId: string;
  service: string;
  kind: SpanKind;
  /** HTTP method and route where the span tells them, else its name. */
  route: string;
  /** Null where the clock of the span cannot be right. */
  durationMs: number | null;
  /** Named by the caller: the one that it calls, if that is not instrumented. */
  peer: string | null;
  /** A store or broker that the span calls, if any. */
  notRouted: 'database' | 'messaging system' | null;
  bytes: number | null;
}

const KINDS: readonly SpanKind[] = ['internal', 'internal', 'server', 'client', 'producer', 'consumer'];
const NO_NAME = 'unknown_service';

/**
 * The spans of an `ExportTraceServiceRequest` in OTLP's JSON form (OpenTelemetry protocol 1.x): names in lowerCamelCase or
 * as in the .proto file, kinds by number or name, times as text or numbers. Spans that cannot be read are told to `part`.
 */
export function readSpans(part: JsonPart): Span[] {
  const root = part.value;
  const lists = isRecord(root) ? either(root, 'resourceSpans', 'resource_spans') : undefined;
  if (!Array.isArray(lists)) {
    part.fail(
      'graph-shape',
      ['resourceSpans'],
      `is ${shown(lists)}`,
      'an ExportTraceServiceRequest: {"resourceSpans": […]}',
    );
    return [];
  }
  return lists.flatMap((resourceSpans: unknown, i): Span[] => {
    const path = ['resourceSpans', i];
    if (!isRecord(resourceSpans)) {
      part.fail('graph-shape', path, `is ${shown(resourceSpans)}`, '{"resource": …, "scopeSpans": […]}');
      return [];
    }
    const resource = resourceSpans['resource'];
    const service = attributesOf(isRecord(resource) ? resource : {}).get('service.name');
    const name = typeof service === 'string' && service !== '' ? service : NO_NAME;
    return scopesOf(part, resourceSpans, path).flatMap(([spans, at]) => readList(part, spans, at, name));
  });
}

function scopesOf(part: JsonPart, parent: Raw, path: readonly PropertyKey[]): [unknown[], PropertyKey[]][] {
  const old = parent['instrumentationLibrarySpans'];
  const key = old !== undefined && parent['scopeSpans'] === undefined ? 'instrumentationLibrarySpans' : 'scopeSpans';
  const scopes = either(parent, key, 'scope_spans') ?? [];
  if (!Array.isArray(scopes)) {
    part.fail('graph-shape', [...path, key], `is ${shown(scopes)}`, 'a list');
    return [];
  }
  return scopes.flatMap((scope: unknown, i): [unknown[], PropertyKey[]][] => {
    const spans = isRecord(scope) ? (scope['spans'] ?? []) : undefined;
    if (Array.isArray(spans)) return [[spans, [...path, key, i, 'spans']]];
    part.fail('graph-shape', [...path, key, i, 'spans'], `is ${shown(spans)}`, 'a list of spans');
    return [];
  });
}

function readList(part: JsonPart, spans: readonly unknown[], path: readonly PropertyKey[], service: string): Span[] {
  return spans.flatMap((span, i): Span[] => {
    const read = isRecord(span) ? readSpan(part, span, [...path, i], service) : null;
    if (!isRecord(span)) part.fail('graph-shape', [...path, i], `is ${shown(span)}`, 'a span');
    return read === null ? [] : [read];
  });
}

function readSpan(part: JsonPart, span: Raw, path: readonly PropertyKey[], service: string): Span | null {
  const traceId = either(span, 'traceId', 'trace_id');
  const spanId = either(span, 'spanId', 'span_id');
  const parentId = either(span, 'parentSpanId', 'parent_span_id') ?? '';
  const isId = (value: unknown): value is string => typeof value === 'string' && value !== '';
  if (!isId(traceId)) part.fail('graph-span', [...path, 'traceId'], `is ${shown(traceId)}`, 'an id');
  if (!isId(spanId)) part.fail('graph-span', [...path, 'spanId'], `is ${shown(spanId)}`, 'an id');
  if (typeof parentId !== 'string')
    part.fail('graph-span', [...path, 'parentSpanId'], `is ${shown(parentId)}`, 'an id');
  const kind = kindOf(span['kind']);
  if (kind === null) part.fail('graph-span', [...path, 'kind'], `is ${shown(span['kind'])}`, '0 to 5 or SPAN_KIND_…');
  const start = timeOf(part, span, 'startTimeUnixNano', 'start_time_unix_nano', path);
  const end = timeOf(part, span, 'endTimeUnixNano', 'end_time_unix_nano', path);
  if (!isId(traceId) || !isId(spanId) || typeof parentId !== 'string' || kind === null) return null;
  const attributes = attributesOf(span);
  const durationMs = start === null || end === null || end < start ? null : (end - start) / 1e6;
  return {
    key: JSON.stringify([traceId, spanId]),
    // Some exporters write the id of no span for a root.
    parentKey: /^0*$/.test(parentId) ? null : JSON.stringify([traceId, parentId]),
    traceId,
    service,
    kind,
    route: routeOf(span, attributes),
    durationMs,
    peer: textOf(attributes, 'peer.service', 'service.peer.name'),
    notRouted: notRouted(attributes),
    bytes: bytesOf(attributes),
  };
}

function kindOf(value: unknown): SpanKind | null {
  if (value === undefined) return 'internal';
  if (typeof value === 'number') return KINDS[value] ?? null;
  if (typeof value !== 'string') return null;
  const name = value.replace('SPAN_KIND_', '').toLowerCase();
  return name === 'unspecified' ? 'internal' : (KINDS.find((kind) => kind === name) ?? null);
}

function timeOf(part: JsonPart, span: Raw, camel: string, snake: string, path: readonly PropertyKey[]): number | null {
  const value = either(span, camel, snake);
  if (value === undefined) return null;
  const nanos = typeof value === 'string' && /^\d{1,20}$/.test(value) ? Number(value) : value;
  if (typeof nanos === 'number' && nanos >= 0 && nanos <= 1e20) return nanos;
  part.fail('graph-span', [...path, camel], `is ${shown(value)}`, 'nanoseconds since 1970');
  return null;
}

function routeOf(span: Raw, attributes: ReadonlyMap<string, unknown>): string {
  const route = textOf(attributes, 'http.route');
  const method = textOf(attributes, 'http.request.method', 'http.method');
  if (route !== null) return method === null ? route : `${method} ${route}`;
  return typeof span['name'] === 'string' ? span['name'] : '';
}

function notRouted(attributes: ReadonlyMap<string, unknown>): Span['notRouted'] {
  if (textOf(attributes, 'db.system', 'db.system.name') !== null) return 'database';
  return textOf(attributes, 'messaging.system') === null ? null : 'messaging system';
}

function bytesOf(attributes: ReadonlyMap<string, unknown>): number | null {
  const sizes = [
    ['http.request.body.size', 'http.request_content_length'],
    ['http.response.body.size', 'http.response_content_length'],
  ].map((keys) => keys.map((key) => Number(attributes.get(key) ?? NaN)).find((size) => size >= 0 && size < 1e15));
  return sizes.every((size) => size === undefined) ? null : sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0);
}

function textOf(attributes: ReadonlyMap<string, unknown>, ...keys: string[]): string | null {
  const found = keys.map((key) => attributes.get(key)).find((value) => typeof value === 'string' && value !== '');
  return typeof found === 'string' ? found : null;
}

/** `[{key, value: {stringValue | intValue | …}}]`; attributes of other shapes are of no use here. */
function attributesOf(holder: Raw): ReadonlyMap<string, unknown> {
  const list = holder['attributes'];
  if (!Array.isArray(list)) return new Map();
  return new Map(
    list.flatMap((one: unknown): [string, unknown][] => {
      const value = isRecord(one) ? one['value'] : undefined;
      if (!isRecord(one) || typeof one['key'] !== 'string' || !isRecord(value)) return [];
      const scalar = either(value, 'stringValue', 'string_value') ?? either(value, 'intValue', 'int_value');
      return [[one['key'], scalar ?? either(value, 'doubleValue', 'double_value')]];
    }),
  );
}

function either(holder: Raw, key: string, other: string): unknown {
  return holder[key] ?? holder[other] ?? undefined;
}
