import { describe, expect, it } from '@jest/globals';

import type { EdgeSet, SourcedEdge } from '../edgeSet.js';
import { parseOtlp } from './otlp.js';

interface SpanInput {
  service: string;
  id: string;
  parent?: string;
  trace?: string;
  kind?: number | string;
  ms?: number;
  attributes?: Record<string, string>;
  name?: string;
}

function textOf(...spans: SpanInput[]): string {
  const attribute = ([key, stringValue]: [string, string]) => ({ key, value: { stringValue } });
  return JSON.stringify({
    resourceSpans: spans.map(
      ({ service, id, parent = '', trace = 't', kind = 2, ms = 10, attributes = {}, name = id }) => ({
        resource: { attributes: [attribute(['service.name', service])] },
        scopeSpans: [
          {
            spans: [
              {
                traceId: trace,
                spanId: id,
                parentSpanId: parent,
                name,
                kind,
                startTimeUnixNano: '1767225600000000000',
                endTimeUnixNano: String(1_767_225_600_000 + ms) + '000000',
                attributes: Object.entries(attributes).map(attribute),
              },
            ],
          },
        ],
      }),
    ),
  });
}

function read(text: string): EdgeSet {
  const parsed = parseOtlp(text, 'traces.json');
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.value;
}

const short = (edge: SourcedEdge) => [edge.caller, edge.callee, edge.callsPerRequest] as const;
const SERVER = 2;
const CLIENT = 3;

describe('parseOtlp', () => {
  it('counts a call once, whether or not the caller has a span for it', () => {
    const withClient = textOf(
      { service: 'web', id: '1' },
      { service: 'web', id: '2', parent: '1', kind: CLIENT },
      { service: 'cart', id: '3', parent: '2', ms: 40 },
      { service: 'cart', id: '4', parent: '1', ms: 20 },
    );
    const { edges, notes, services } = read(withClient);
    expect(edges.map(short)).toEqual([['web', 'cart', 2]]);
    expect(edges[0]?.latency).toEqual({ p50Ms: 30, p99Ms: expect.closeTo(39.8) });
    expect([notes, services]).toEqual([[], ['cart', 'web']]);
  });

  it('tells requests apart by where and by which route they entered', () => {
    const request = (entry: string, route: string, trace: string, calls: number): SpanInput[] => [
      { service: entry, id: 'r', trace, attributes: { 'http.route': route, 'http.request.method': 'GET' } },
      { service: 'mid', id: 'm', parent: 'r', trace },
      ...Array.from({ length: calls }, (_, i) => ({ service: 'leaf', id: `l${i}`, parent: 'm', trace })),
    ];
    const text = textOf(
      ...request('web', '/', 'a', 0),
      ...request('web', '/buy', 'b', 2),
      ...request('app', '/', 'c', 4),
    );
    const edge = read(text).edges.find(({ callee }) => callee === 'leaf');
    expect(edge).toMatchObject({
      callsPerRequest: 2,
      callsByEntry: { web: 1, app: 4 },
      callsByRoute: { 'web GET /': 0, 'web GET /buy': 2, 'app GET /': 4 },
    });
  });

  it('takes what a load generator calls as where requests enter', () => {
    const text = textOf(
      { service: 'load', id: '1', kind: CLIENT },
      { service: 'web', id: '2', parent: '1' },
      { service: 'cart', id: '3', parent: '2' },
    );
    expect(read(text).edges.map((edge) => [...short(edge), edge.callsByEntry])).toEqual([
      ['load', 'web', 1, { load: 1 }],
      ['web', 'cart', 1, { web: 1 }],
    ]);
  });

  it('leaves out calls of requests whose own arrival is missing, and says how many traces are incomplete', () => {
    const text = textOf(
      { service: 'web', id: '1' },
      { service: 'cart', id: '2', parent: '1' },
      // The server span of web is lost: only its call is there.
      { service: 'web', id: '4', parent: '3', trace: 'u', kind: CLIENT },
      { service: 'cart', id: '5', parent: '4', trace: 'u' },
    );
    const { edges, notes } = read(text);
    expect(edges.map(short)).toEqual([['web', 'cart', 1]]);
    expect(notes).toEqual([expect.stringMatching(/1 of 2 traces are incomplete.* 1 calls/)]);
  });

  it('names services without spans by peer.service; stores and queues are left out', () => {
    const text = textOf(
      { service: 'web', id: '1' },
      { service: 'web', id: '2', parent: '1', kind: CLIENT, attributes: { 'peer.service': 'legacy' } },
      { service: 'web', id: '3', parent: '1', kind: CLIENT, attributes: { 'db.system': 'redis', 'peer.service': 'r' } },
      { service: 'web', id: '4', parent: '1', kind: CLIENT },
      { service: 'web', id: '5', parent: '1', kind: 4 },
      { service: 'mailer', id: '6', parent: '5', kind: 5 },
      { service: 'smtp', id: '7', parent: '6' },
    );
    const { edges, notes } = read(text);
    expect(edges.map(short).sort()).toEqual([
      ['mailer', 'smtp', 1],
      ['web', 'legacy', 1],
    ]);
    expect(notes).toHaveLength(3);
    expect(notes.join()).toMatch(/messaging system.*web calls a database.*1 outgoing calls lead to no service/);
  });

  it('counts once what two instruments or two exports tell', () => {
    const spans: SpanInput[] = [
      { service: 'web', id: '1' },
      { service: 'cart', id: '2', parent: '1', kind: 'SPAN_KIND_SERVER' },
      { service: 'cart', id: '3', parent: '2', kind: SERVER },
      { service: 'stock', id: '4', parent: '3' },
    ];
    const { edges, notes } = read(`${textOf(...spans)}\n${textOf(...spans.slice(0, 1))}\n`);
    expect(edges.map(short)).toEqual([
      ['web', 'cart', 1],
      ['cart', 'stock', 1],
    ]);
    expect(notes).toEqual([expect.stringContaining('1 spans are there more than once')]);
  });

  it('ends where spans are their own parents', () => {
    const text = textOf(
      { service: 'a', id: '1', parent: '2' },
      { service: 'b', id: '2', parent: '1' },
      { service: 'c', id: '3', parent: '3' },
    );
    expect(read(text).edges).toEqual([]);
  });

  it('names every problem with its line and field', () => {
    const bad = JSON.stringify(
      { resourceSpans: [{ scopeSpans: [{ spans: [{ traceId: 1, spanId: 'x', kind: 9 }] }] }] },
      null,
      1,
    );
    expect(parseOtlp(bad, 't.json')).toMatchObject({
      ok: false,
      problems: [
        { file: 't.json', line: 8, field: 'resourceSpans[0].scopeSpans[0].spans[0].traceId' },
        { line: 10, field: 'resourceSpans[0].scopeSpans[0].spans[0].kind' },
      ],
    });
    expect(parseOtlp('{"resourceSpans":[]}\n{"resourceSpans":[', 't.json')).toMatchObject({
      ok: false,
      problems: [{ code: 'json', line: 2 }],
    });
    expect(parseOtlp('{"resourceSpans":[]}', 't.json')).toMatchObject({
      ok: false,
      problems: [{ code: 'graph-empty' }],
    });
  });
});
