import { describe, expect, it } from '@jest/globals';

import { parseOtelServicegraph } from './otelServicegraph.js';
import { parseYamlEdges } from './yamlEdges.js';

const METRIC = 'traces_service_graph_request_total';

function edgesOf(text: string): Record<string, number> {
  const parsed = parseOtelServicegraph(text, 'graph.prom');
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return Object.fromEntries(parsed.value.edges.map((e) => [`${e.caller}>${e.callee}`, e.callsPerRequest]));
}

describe('parseOtelServicegraph', () => {
  it('divides the requests of an edge by those that arrived at its caller, entry traffic included', () => {
    const edges = edgesOf(
      [
        `# TYPE ${METRIC} counter`,
        `${METRIC}{client="user",server="front",connection_type="virtual_node"} 100`,
        `${METRIC}{client="",server="front"} 100`,
        `${METRIC}{client="front",server="cart",connection_type=""} 150 1700000000000`,
        `${METRIC}{client="front",server="stock"} 100`,
        `${METRIC}{client="cart",server="stock"} 300`,
        'up{job="x"} 1',
      ].join('\n'),
    );
    expect(edges).toEqual({ 'front>cart': 0.75, 'front>stock': 0.5, 'cart>stock': 2 });
  });

  it('sums the samples of several collectors and reads escaped labels', () => {
    const edges = edgesOf(
      [
        `${METRIC}{client="user",server="a\\"b",instance="1"} 10`,
        `${METRIC}{client="user",server="a\\"b",instance="2"} 10`,
        `${METRIC}{client="a\\"b",server="c",instance="1"} 5`,
        `${METRIC}{client="a\\"b",server="c",instance="2"} 5`,
      ].join('\n'),
    );
    expect(edges).toEqual({ 'a"b>c': 0.5 });
  });

  it('leaves stores and brokers out, with a note', () => {
    const text = `${METRIC}{client="user",server="a"} 1\n${METRIC}{client="a",server="db",connection_type="database"} 9`;
    const parsed = parseOtelServicegraph(text, 'graph.prom');
    expect(parsed).toMatchObject({
      ok: true,
      value: { edges: [], notes: [expect.stringContaining('db is a database')] },
    });
  });

  it('refuses a caller of which no arrival was counted, and lines that are no samples, with their place', () => {
    expect(parseOtelServicegraph(`${METRIC}{client="a",server="b"} 5`, 'g.prom')).toMatchObject({
      ok: false,
      problems: [{ code: 'graph-no-arrivals', file: 'g.prom', line: 1 }],
    });
    const text = `${METRIC}{client="user",server="b"} 5\nnot a sample\n${METRIC}{client="user",server="b"} NaN`;
    expect(parseOtelServicegraph(text, 'g.prom')).toMatchObject({
      ok: false,
      problems: [{ line: 2 }, { line: 3, message: expect.stringContaining('NaN') }],
    });
    expect(parseOtelServicegraph('', 'g.prom')).toMatchObject({ ok: false, problems: [{ code: 'graph-empty' }] });
  });

  it('trusts what was seen often more than what was seen once', () => {
    const confidence = (count: number): number => {
      const text = `${METRIC}{client="user",server="a"} ${count}\n${METRIC}{client="a",server="b"} ${count}`;
      const parsed = parseOtelServicegraph(text, 'g');
      return parsed.ok ? (parsed.value.edges[0]?.confidence ?? -1) : -1;
    };
    expect(confidence(10_000)).toBeGreaterThan(confidence(10));
    expect(confidence(10_000)).toBeLessThan(1);
  });
});

describe('parseYamlEdges', () => {
  it('reads a list, also under "edges", with one call a request unless said otherwise', () => {
    for (const head of ['', 'edges:\n']) {
      const parsed = parseYamlEdges(
        `${head}- {caller: a, callee: b}\n- {caller: a, callee: c, callsPerRequest: 2.5}\n`,
        'e.yaml',
      );
      expect(parsed).toMatchObject({ ok: true, value: { edges: [{ callsPerRequest: 1 }, { callsPerRequest: 2.5 }] } });
    }
  });

  it('names every problem with its line', () => {
    const text =
      '- {caller: a, callee: b, callsPerRequest: -1}\n- {caller: a}\n- 7\n- {caller: a, callee: b, cals: 2}\n';
    const parsed = parseYamlEdges(text, 'e.yaml');
    expect(parsed.ok ? [] : parsed.problems.map((p) => [p.line, p.field])).toEqual([
      [1, 'edges[0].callsPerRequest'],
      [2, 'edges[1].callee'],
      [3, 'edges[2]'],
      [4, 'edges[3].cals'],
    ]);
    expect(parseYamlEdges('a: [', 'e.yaml')).toMatchObject({ ok: false, problems: [{ code: 'yaml', line: 1 }] });
    expect(parseYamlEdges('', 'e.yaml')).toMatchObject({ ok: false, problems: [{ code: 'graph-shape' }] });
  });
});
