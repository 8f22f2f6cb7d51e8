import { describe, expect, it } from '@jest/globals';

import type { Result } from '../../spec/problem.js';
import type { EdgeSet } from '../edgeSet.js';
import { parseJaeger, parseZipkin } from './dependencies.js';
import { parseIstio } from './istio.js';
import { parseKiali } from './kiali.js';
import { parseOtelServicegraph } from './otelServicegraph.js';

function edgesOf(result: Result<EdgeSet>): Record<string, number> {
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return Object.fromEntries(result.value.edges.map((e) => [`${e.caller}>${e.callee}`, e.callsPerRequest]));
}

const istio = (reporter: string, source: string, destination: string, count: number, more = ''): string =>
  `istio_requests_total{reporter="${reporter}",source_canonical_service="${source}",destination_canonical_service="${destination}"${more}} ${count}`;

describe('parseIstio', () => {
  it('counts what both reporters tell once, by the callee where it has a sidecar', () => {
    const text = [
      istio('destination', 'istio-ingressgateway', 'web', 100),
      istio('source', 'istio-ingressgateway', 'web', 104),
      istio('source', 'web', 'cart', 61),
      istio('destination', 'web', 'cart', 50, ',response_code="200"'),
      istio('destination', 'web', 'cart', 10, ',response_code="500"'),
      // Without a sidecar the callee counts nothing.
      istio('source', 'web', 'legacy', 20),
    ].join('\n');
    expect(edgesOf(parseIstio(text, 'm.prom'))).toEqual({ 'web>cart': 0.6, 'web>legacy': 0.2 });
  });

  it('names services by workload where there is no canonical service, and unknown sources as outside', () => {
    const text = [
      'istio_requests_total{reporter="destination",source_workload="unknown",destination_workload="web"} 10',
      'istio_requests_total{reporter="destination",source_workload="web",destination_canonical_service="unknown",destination_workload="cart"} 5',
      'istio_requests_total{reporter="source",source_workload="web",destination_service="api.example.com",destination_service_name="api"} 1',
    ].join('\n');
    expect(edgesOf(parseIstio(text, 'm.prom'))).toEqual({ 'web>cart': 0.5, 'web>api': 0.1 });
  });

  it('reads latency and size of the reporter that it counts by', () => {
    const labels = 'reporter="destination",source_canonical_service="web",destination_canonical_service="cart"';
    const text = [
      istio('destination', 'unknown', 'web', 100),
      istio('destination', 'web', 'cart', 100),
      `istio_request_duration_milliseconds_bucket{${labels},le="10"} 50`,
      `istio_request_duration_milliseconds_bucket{${labels},le="20"} 100`,
      `istio_request_duration_milliseconds_bucket{${labels},le="+Inf"} 100`,
      `istio_request_bytes_sum{${labels}} 30000`,
      `istio_response_bytes_sum{${labels.replace('destination"', 'source"')}} 99999`,
    ].join('\n');
    const parsed = parseIstio(text, 'm.prom');
    expect(parsed.ok && parsed.value.edges).toMatchObject([{ latency: { p50Ms: 10, p99Ms: 19.8 }, bytesPerCall: 300 }]);
  });

  it("reads Prometheus' answer to a query too, and names wrong samples", () => {
    const metric = { __name__: 'istio_requests_total', reporter: 'destination', destination_workload: 'web' };
    const answer = (value: unknown) =>
      JSON.stringify({ status: 'success', data: { resultType: 'vector', result: [{ metric, value: [1, value] }] } });
    expect(edgesOf(parseIstio(answer('5'), 'q.json'))).toEqual({});
    expect(parseIstio(answer(null), 'q.json')).toMatchObject({
      ok: false,
      problems: [{ line: 1, field: 'data.result[0].value' }],
    });
    expect(parseIstio(`${istio('destination', 'a', 'b', -1)}\nistio_requests_total{} 5`, 'm')).toMatchObject({
      ok: false,
      problems: [
        { line: 1, file: 'm' },
        { line: 2, message: 'names no destination' },
      ],
    });
  });
});

describe('parseOtelServicegraph', () => {
  it('reads server latency where it is there, and exemplars do not disturb it', () => {
    const bucket = (le: string, count: number) =>
      `traces_service_graph_request_server_seconds_bucket{client="web",server="cart",le="${le}"} ${count} # {trace_id="a"} 0.01`;
    const text = [
      'traces_service_graph_request_total{client="user",server="web"} 10',
      'traces_service_graph_request_total{client="web",server="cart"} 10',
      ...[bucket('0.1', 5), bucket('0.2', 10), bucket('+Inf', 10)],
    ].join('\n');
    const parsed = parseOtelServicegraph(text, 'g.prom');
    expect(parsed.ok && parsed.value.edges[0]?.latency).toEqual({ p50Ms: 100, p99Ms: expect.closeTo(198) });
  });
});

describe('parseJaeger and parseZipkin', () => {
  const links = [
    { parent: 'web', child: 'cart', callCount: '30' },
    { parent: 'web', child: 'stock', callCount: 60 },
    { parent: 'cart', child: 'stock', callCount: 15 },
  ];
  it('divide by what arrives at the caller, and where that is unknown, by what it calls most', () => {
    for (const parsed of [
      parseJaeger(JSON.stringify({ data: links }), 'j'),
      parseJaeger(JSON.stringify({ dependencies: links }), 'j'),
      parseZipkin(JSON.stringify(links), 'z'),
    ]) {
      expect(edgesOf(parsed)).toEqual({ 'web>cart': 0.5, 'web>stock': 1, 'cart>stock': 0.5 });
      expect(parsed.ok && parsed.value.edges.map((edge) => edge.basis)).toEqual(['relative', 'relative', 'measured']);
    }
  });

  it('name every problem with its line', () => {
    const text =
      '{"data": [\n{"parent": "a", "child": 7, "callCount": 1},\n7,\n{"parent": "a", "child": "b", "callCount": "many"}]}';
    expect(parseJaeger(text, 'j.json')).toMatchObject({
      ok: false,
      problems: [
        { line: 2, field: 'data[0].child', file: 'j.json' },
        { line: 3, field: 'data[1]' },
        { line: 4, field: 'data[2].callCount', message: 'is "many"' },
      ],
    });
    expect(parseZipkin('{}', 'z')).toMatchObject({ ok: false, problems: [{ code: 'graph-shape' }] });
  });
});

describe('parseKiali', () => {
  const graph = (nodes: object[], edges: [string, string, object][]): string =>
    JSON.stringify({
      duration: 60,
      elements: {
        nodes: nodes.map((data) => ({ data })),
        edges: edges.map(([source, target, rates]) => ({ data: { source, target, traffic: { rates } } })),
      },
    });
  it('reads rates that are text, passes service nodes through, and merges versions by app', () => {
    const text = graph(
      [
        { id: '0', nodeType: 'unknown', workload: 'unknown' },
        { id: '1', nodeType: 'workload', workload: 'web-v1', app: 'web' },
        { id: '2', nodeType: 'service', service: 'reviews-svc' },
        { id: '3', nodeType: 'workload', workload: 'reviews-v1', app: 'reviews' },
        { id: '4', nodeType: 'workload', workload: 'reviews-v2', app: 'reviews' },
        { id: '5', nodeType: 'service', service: 'outside-api' },
        { id: '6', nodeType: 'box' },
      ],
      [
        ['0', '1', { http: '10.00' }],
        ['1', '2', { http: '4', grpc: '1' }],
        ['2', '3', { http: '4' }],
        ['2', '4', { http: '1' }],
        ['3', '5', { http: '2.5' }],
        ['1', '5', { tcp: '900' }],
      ],
    );
    const parsed = parseKiali(text, 'k.json');
    expect(edgesOf(parsed)).toEqual({ 'web>reviews': 0.5, 'reviews>outside-api': 0.5 });
    expect(parsed.ok && parsed.value.notes).toEqual([expect.stringContaining('1 edges have no rate')]);
  });

  it('names every problem', () => {
    expect(parseKiali(graph([{ id: 'a' }], [['a', 'b', { http: 'NaN' }]]), 'k')).toMatchObject({
      ok: false,
      problems: [{ field: 'elements.edges[0].data.target' }, { field: 'elements.edges[0].data.traffic.rates.http' }],
    });
  });
});
