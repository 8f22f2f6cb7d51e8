import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { EMIT, EMITTED_KINDS } from '../../bench/graph/emit.js';
import type { EmittedKind } from '../../bench/graph/emit.js';
import { generateGraph } from '../../bench/graph/generateGraph.js';
import { buildGraph } from '../../core/graph/build.js';
import type { EdgeSet } from '../../core/graph/edgeSet.js';
import { propagateDemand } from '../../core/graph/propagate.js';
import { detectGraphSource } from '../../core/graph/sources/detectGraphSource.js';
import { parseGraphSource } from '../../core/graph/sources/parseGraphSource.js';
import type { ServiceGraph } from '../../core/spec/graph.js';
import type { Result } from '../../core/spec/problem.js';

function valueOf<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(JSON.stringify(result.problems.slice(0, 5)));
  return result.value;
}

const read = (kind: EmittedKind, text: string): EdgeSet => valueOf(parseGraphSource(kind, text, `graph.${kind}`));
const entriesOf = (entries: readonly string[], requests: number): Record<string, number> =>
  Object.fromEntries(entries.map((name) => [name, requests]));
const ratesOf = (graph: ServiceGraph): Map<string, number> =>
  new Map(graph.edges.map(({ caller, callee, callsPerRequest }) => [`${caller} ${callee}`, callsPerRequest]));

/** Kinds that tell rates exactly, as they count what arrives from outside. */
const EXACT: readonly EmittedKind[] = ['yaml', 'otel-servicegraph', 'istio', 'kiali'];
const sizes = fc.record({ services: fc.integer({ min: 2, max: 60 }), seed: fc.integer() });

describe('a graph that a source tells of', () => {
  it.each(EXACT)('comes back the same from %s', (kind) => {
    fc.assert(
      fc.property(sizes, (input) => {
        const { graph, entries } = generateGraph(input);
        const text = EMIT[kind]({ graph, entries: entriesOf(entries, 1e6) });
        expect(detectGraphSource(text, 'any')).toBe(kind);
        const found = ratesOf(valueOf(buildGraph({ sources: [read(kind, text)] })));
        const expected = ratesOf(graph);
        expect([...found.keys()].sort()).toEqual([...expected.keys()].sort());
        for (const [pair, rate] of expected) expect(Math.abs((found.get(pair) ?? -1) / rate - 1)).toBeLessThan(1e-6);
      }),
      { numRuns: 10 },
    );
  });

  it.each(['jaeger', 'zipkin'] as const)('comes back from %s, at callers from outside by proportion', (kind) => {
    fc.assert(
      fc.property(sizes, (input) => {
        const { graph, entries } = generateGraph(input);
        const text = EMIT[kind]({ graph, entries: entriesOf(entries, 1e6) });
        expect(detectGraphSource(text, 'any')).toBe(kind);
        const parsed = read(kind, text).edges;
        expect(parsed).toHaveLength(graph.edges.length);
        const most = new Map<string, number>();
        for (const e of graph.edges) most.set(e.caller, Math.max(most.get(e.caller) ?? 0, e.callsPerRequest));
        const expected = ratesOf(graph);
        for (const edge of parsed) {
          const isRoot = entries.includes(edge.caller);
          const rate = expected.get(`${edge.caller} ${edge.callee}`) ?? NaN;
          expect(edge.callsPerRequest).toBeCloseTo(isRoot ? rate / (most.get(edge.caller) ?? 1) : rate, 6);
          expect(edge.confidence).toBeLessThanOrEqual(isRoot ? 0.3 : 0.6);
        }
      }),
      { numRuns: 10 },
    );
  });

  it('comes back from traces within a call, for one request in a few hundred', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 12 }), fc.integer(), (services, seed) => {
        const { graph, entries } = generateGraph({ services, seed });
        const requests = entriesOf(entries, 200);
        const text = EMIT.otlp({ graph, entries: requests });
        expect(detectGraphSource(text, 'any')).toBe('otlp');
        const found = ratesOf(valueOf(buildGraph({ sources: [read('otlp', text)] })));
        const demand = valueOf(propagateDemand(graph, requests));
        for (const { caller, callee, callsPerRequest } of graph.edges) {
          const arrived = demand[caller] ?? 0;
          // Only whole calls are made: each edge is off by at most one, and so are those above it.
          const tolerance = (2 * graph.edges.length) / Math.max(1, arrived);
          expect(Math.abs((found.get(`${caller} ${callee}`) ?? 0) - callsPerRequest)).toBeLessThanOrEqual(tolerance);
        }
      }),
      { numRuns: 10 },
    );
  });

  it('is the same whatever the order of sources, edges and lines', () => {
    const shuffled = <T>(list: readonly T[], keys: readonly number[]): T[] =>
      list
        .map((value, i) => ({ value, key: keys[i % keys.length] ?? 0 }))
        .sort((a, b) => a.key - b.key)
        .map(({ value }) => value);
    fc.assert(
      fc.property(sizes, fc.array(fc.double({ noNaN: true }), { minLength: 97, maxLength: 97 }), (input, keys) => {
        const { graph, entries } = generateGraph({ ...input, services: Math.min(20, input.services) });
        // Two graphs over the same names, so that they contradict each other.
        const other = generateGraph({ services: graph.services.length, seed: input.seed + 1 });
        const sets = EMITTED_KINDS.filter((kind) => kind !== 'otlp').map((kind, i) => {
          const from = i % 3 === 0 ? other : { graph, entries };
          return read(kind, EMIT[kind]({ graph: from.graph, entries: entriesOf(from.entries, 1000) }));
        });
        const one = valueOf(buildGraph({ sources: sets }));
        const mixed = sets.map((set) => ({ ...set, edges: shuffled(set.edges, keys) }));
        expect(valueOf(buildGraph({ sources: shuffled(mixed, keys) }))).toEqual(one);
        const text = EMIT.istio({ graph, entries: entriesOf(entries, 1000) });
        const lines = shuffled(text.split('\n'), keys).join('\n');
        const again = valueOf(buildGraph({ sources: [read('istio', lines)] }));
        const plain = valueOf(buildGraph({ sources: [read('istio', text)] }));
        expect(again.edges.map((e) => [e.caller, e.callee])).toEqual(plain.edges.map((e) => [e.caller, e.callee]));
        for (const [i, edge] of again.edges.entries()) {
          expect(edge.callsPerRequest).toBeCloseTo(plain.edges[i]?.callsPerRequest ?? -1, 9);
        }
      }),
      { numRuns: 10 },
    );
  });
});
