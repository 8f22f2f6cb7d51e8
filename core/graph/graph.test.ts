import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import type { ServiceGraph } from '../spec/graph.js';
import { buildGraph } from './build.js';
import type { GraphInput } from './build.js';
import { graphToDot, graphToMermaid } from './draw.js';
import { propagateDemand } from './propagate.js';

function graphOf(input: GraphInput): ServiceGraph {
  const built = buildGraph(input);
  if (!built.ok) throw new Error(JSON.stringify(built.problems));
  return built.value;
}

function demandOf(graph: ServiceGraph, entry: Record<string, number>): Record<string, number> {
  const result = propagateDemand(graph, entry);
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.value;
}

const said = (source: string, callsPerRequest: number, confidence: number) => ({
  edges: [{ caller: 'a', callee: 'b', callsPerRequest, source, confidence, basis: 'measured' as const }],
  notes: [],
});

describe('buildGraph', () => {
  it('is surer of an edge that two sources agree on', () => {
    const graph = graphOf({ sources: [said('x', 2, 0.8), said('y', 2.1, 0.5)] });
    expect(graph.edges).toMatchObject([{ sources: ['x', 'y'], confidence: expect.closeTo(0.9) }]);
    expect(graph.edges[0]?.callsPerRequest).toBeCloseTo((2 * 0.8 + 2.1 * 0.5) / 1.3);
    expect(graph.warnings).toEqual([]);
  });

  it('takes the more confident of two that contradict each other, and says so', () => {
    const graph = graphOf({ sources: [said('x', 2, 0.9), said('y', 5, 0.5)] });
    expect(graph.edges).toMatchObject([{ callsPerRequest: 2, confidence: 0.45, sources: ['x', 'y'] }]);
    expect(graph.warnings).toEqual([expect.stringContaining('contradict')]);
  });

  it('leaves out edges to services that it does not know, and says so', () => {
    const graph = graphOf({ services: ['a'], sources: [said('x', 2, 0.9)] });
    expect(graph).toMatchObject({ services: ['a'], edges: [], warnings: [expect.stringContaining('no service b')] });
  });

  it('lists circles, a service that calls itself among them', () => {
    const edge = (caller: string, callee: string) => ({ caller, callee, callsPerRequest: 1 });
    const edges = [edge('a', 'b'), edge('b', 'c'), edge('c', 'a'), edge('c', 'd'), edge('e', 'e'), edge('d', 'f')];
    const graph = graphOf({ edges });
    expect(graph.cycles).toEqual([['a', 'b', 'c'], ['e']]);
    expect(propagateDemand(graph, { a: 1 })).toMatchObject({
      ok: false,
      problems: [{ code: 'graph-cycle', message: expect.stringContaining('a → b → c → a') }, { code: 'graph-cycle' }],
    });
  });

  it('draws', () => {
    const graph = graphOf({ edges: [{ caller: 'a', callee: 'b"', callsPerRequest: 1.5 }] });
    expect(graphToMermaid(graph)).toBe('flowchart LR\n  s0["a"]\n  s1["b#quot;"]\n  s0 -->|1.5| s1\n');
    expect(graphToDot(graph)).toContain('"a" -> "b\\"" [label="1.5"];');
  });
});

/** Random acyclic graphs: edges only from a lower to a higher number, so that s0 is an entry. */
const acyclic = fc
  .integer({ min: 1, max: 8 })
  .chain((size) =>
    fc.record({
      size: fc.constant(size),
      calls: fc.array(fc.double({ min: 0, max: 3, noNaN: true }), { minLength: size * size, maxLength: size * size }),
    }),
  )
  .map(({ size, calls }) => {
    const names = Array.from({ length: size }, (_, i) => `s${i}`);
    const edges = names.flatMap((caller, i) =>
      names.flatMap((callee, j) => (j > i ? [{ caller, callee, callsPerRequest: calls[i * size + j] ?? 0 }] : [])),
    );
    // Listed backwards, so that an order which only happens to be right is found out.
    return graphOf({ services: [...names].reverse(), edges });
  });
const rps = fc.double({ min: 0, max: 1000, noNaN: true });

describe('propagateDemand', () => {
  it('is linear: the demand of a sum is the sum of demands', () => {
    fc.assert(
      fc.property(acyclic, rps, rps, fc.double({ min: 0, max: 10, noNaN: true }), (graph, x, y, factor) => {
        const sum = demandOf(graph, { s0: x + factor * y });
        const [one, other] = [demandOf(graph, { s0: x }), demandOf(graph, { s0: y })];
        for (const name of graph.services) {
          const expected = (one[name] ?? 0) + factor * (other[name] ?? 0);
          expect(Math.abs((sum[name] ?? 0) - expected)).toBeLessThanOrEqual(1e-6 * Math.max(1, expected));
        }
      }),
    );
  });

  it('conserves: what arrives at a service is what comes from outside and what its callers send', () => {
    fc.assert(
      fc.property(acyclic, rps, (graph, entry) => {
        const demand = demandOf(graph, { s0: entry });
        for (const name of graph.services) {
          const calls = graph.edges.filter((edge) => edge.callee === name);
          const sent = calls.reduce((sum, edge) => sum + (demand[edge.caller] ?? 0) * edge.callsPerRequest, 0);
          const expected = sent + (name === 's0' ? entry : 0);
          expect(Math.abs((demand[name] ?? 0) - expected)).toBeLessThanOrEqual(1e-6 * Math.max(1, expected));
        }
      }),
    );
  });

  it('refuses an entry that is no service, and a demand that is none', () => {
    const graph = graphOf({ services: ['a'] });
    expect(propagateDemand(graph, { b: 1, a: -1 })).toMatchObject({
      ok: false,
      problems: [{ field: 'entry.b' }, { field: 'entry.a' }],
    });
  });
});
