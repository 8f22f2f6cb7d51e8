import http from 'node:http';
import type { IncomingMessage } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { closeServer, listen, sendJson } from '../../testbed/http.js';
import { portOf } from '../../testbed/ports.js';

/** A span as OTLP/HTTP brings it, with the name of the service that made it. */
export interface CollectedSpan {
  service: string;
  traceId: string;
  spanId: string;
  /** Absent: the root of its trace. */
  parentSpanId?: string;
  name: string;
  attributes: Readonly<Record<string, unknown>>;
  /** As it came. */
  text: string;
}

export interface Collector {
  url: string;
  readonly spans: readonly CollectedSpan[];
  stop(): Promise<void>;
}

interface KeyValue {
  key: string;
  value: { stringValue?: string; intValue?: string | number; doubleValue?: number; boolValue?: boolean };
}
interface ExportRequest {
  resourceSpans: {
    resource: { attributes: KeyValue[] };
    scopeSpans: { spans: (Omit<CollectedSpan, 'service' | 'attributes' | 'text'> & { attributes: KeyValue[] })[] }[];
  }[];
}

/** Takes traces by OTLP/HTTP in JSON, as any collector does at port 4318. */
export async function startCollector(): Promise<Collector> {
  const spans: CollectedSpan[] = [];
  const server = http.createServer((request, response) => {
    read(request).then(
      (body) => {
        if (request.url === '/v1/traces') spans.push(...spansOf(body));
        sendJson(response, 200, {});
      },
      (error: unknown) => sendJson(response, 400, { error: String(error) }),
    );
  });
  await listen(server, { address: '127.0.0.1', port: 0 });
  return { url: `http://127.0.0.1:${portOf(server)}`, spans, stop: async () => closeServer(server) };
}

async function read(request: IncomingMessage): Promise<ExportRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  const text = request.headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes;
  return JSON.parse(text.toString('utf8')) as ExportRequest;
}

function spansOf({ resourceSpans }: ExportRequest): CollectedSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) =>
      spans.map((span) => ({
        ...span,
        service: String(plain(resource.attributes)['service.name']),
        attributes: plain(span.attributes),
        text: JSON.stringify(span),
      })),
    ),
  );
}

function plain(attributes: readonly KeyValue[]): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}
