import { describe, expect, it } from '@jest/globals';

import type { ServiceGraph } from '../spec/graph.js';
import { buildGraph } from './build.js';
import type { EdgeSet, SourcedEdge } from './edgeSet.js';

function graphOf(...sources: EdgeSet[]): ServiceGraph {
  const built = buildGraph({ sources });
  if (!built.ok) throw new Error(JSON.stringify(built.problems));
  return built.value;
}

type Said = Partial<SourcedEdge> & { source: string; callsPerRequest: number };
const edge = (said: Said): SourcedEdge => ({ caller: 'a', callee: 'b', confidence: 0.9, basis: 'measured', ...said });
const set = (...said: Said[]): EdgeSet => ({ edges: said.map(edge), notes: [] });
const hint = (caller: string, callee: string): EdgeSet =>
  set({ source: 'compose', caller, callee, callsPerRequest: 1, confidence: 0.2, basis: 'hint' });

describe('contradictions', () => {
  const cases: [string, EdgeSet[], { rate: number; confidence: number; holds?: string }][] = [
    [
      'none within a tenth',
      [set({ source: 'x', callsPerRequest: 2 }), set({ source: 'y', callsPerRequest: 2.1 })],
      { rate: 2.05, confidence: 0.99 },
    ],
    [
      'two outvote a third that is a little surer',
      [
        set({ source: 'x', callsPerRequest: 2, confidence: 0.6 }),
        set({ source: 'y', callsPerRequest: 2, confidence: 0.6 }),
        set({ source: 'z', callsPerRequest: 5, confidence: 0.7 }),
      ],
      { rate: 2, confidence: 0.42, holds: 'x' },
    ],
    [
      'the same source twice does not',
      [
        set({ source: 'x', callsPerRequest: 2, confidence: 0.6 }, { source: 'x', callsPerRequest: 2, confidence: 0.6 }),
        set({ source: 'z', callsPerRequest: 5, confidence: 0.7 }),
      ],
      { rate: 5, confidence: 0.35, holds: 'z' },
    ],
    [
      'the larger rate where nothing else decides',
      [set({ source: 'x', callsPerRequest: 2 }), set({ source: 'y', callsPerRequest: 5 })],
      { rate: 5, confidence: 0.45, holds: 'y' },
    ],
    [
      'none from what was seen a few times',
      [
        set({ source: 'x', callsPerRequest: 0.2 }),
        set({ source: 'y', callsPerRequest: 0.3, confidence: 0.7, requests: 10 }),
      ],
      { rate: 0.2, confidence: 0.9 },
    ],
    [
      'one from what was seen often',
      [
        set({ source: 'x', callsPerRequest: 0.2 }),
        set({ source: 'y', callsPerRequest: 0.3, confidence: 0.7, requests: 10_000 }),
      ],
      { rate: 0.2, confidence: 0.45, holds: 'x' },
    ],
  ];
  it.each(cases)('%s', (_, sources, { rate, confidence, holds }) => {
    const graph = graphOf(...sources);
    expect(graph.edges[0]?.callsPerRequest).toBeCloseTo(rate);
    expect(graph.edges[0]?.confidence).toBeCloseTo(confidence);
    expect(graph.contradictions?.map((one) => one.holds)).toEqual(holds === undefined ? undefined : [holds]);
    expect(graph.warnings).toHaveLength(holds === undefined ? 0 : 1);
  });

  it('are listed with what each source said', () => {
    const { contradictions } = graphOf(
      set({ source: 'y', callsPerRequest: 5 }),
      set({ source: 'x', callsPerRequest: 2 }),
    );
    const said = [
      { source: 'x', callsPerRequest: 2 },
      { source: 'y', callsPerRequest: 5 },
    ];
    expect(contradictions).toEqual([{ caller: 'a', callee: 'b', said, holds: 'y' }]);
  });

  it('take rates by entry from what holds, and latency from the surest', () => {
    const latency = { p50Ms: 1, p99Ms: 2 };
    const graph = graphOf(
      set({ source: 'x', callsPerRequest: 2, callsByEntry: { web: 3 } }),
      set({ source: 'y', callsPerRequest: 9, confidence: 0.5, callsByEntry: { web: 9 }, latency }),
    );
    expect(graph.edges).toMatchObject([{ callsPerRequest: 2, callsByEntry: { web: 3 }, latency }]);
  });
});

describe('hints', () => {
  it('never outvote or contradict, and are warned of where they stand alone', () => {
    const graph = graphOf(set({ source: 'x', callsPerRequest: 7, confidence: 0.1 }), hint('a', 'b'), hint('b', 'c'));
    expect(graph.edges).toMatchObject([
      { callsPerRequest: 7, confidence: expect.closeTo(0.1), sources: ['compose', 'x'] },
      { callsPerRequest: 1, confidence: expect.closeTo(0.2) },
    ]);
    expect(graph.contradictions).toBeUndefined();
    expect(graph.warnings).toEqual([expect.stringMatching(/^b → c, only hinted at by compose/)]);
  });

  it('are not worth more for being many', () => {
    const other = { edges: hint('b', 'c').edges.map((one) => ({ ...one, source: 'k8s' })), notes: [] };
    expect(graphOf(hint('b', 'c'), other).edges[0]?.confidence).toBeCloseTo(0.2);
  });

  it('are left out where they would make a circle endless', () => {
    const graph = graphOf(set({ source: 'x', callsPerRequest: 2 }), hint('b', 'a'), hint('c', 'a'));
    expect(graph.edges.map(({ caller, callee }) => [caller, callee])).toEqual([
      ['a', 'b'],
      ['c', 'a'],
    ]);
    expect(graph.cycles).toEqual([]);
    expect(graph.warnings).toContainEqual(expect.stringContaining('b → a, only hinted at by compose left out'));
  });
});

describe('callers whose arrivals are not counted', () => {
  const relative = { source: 'jaeger', confidence: 0.3, basis: 'relative' as const };
  const jaeger = set({ ...relative, callsPerRequest: 1 }, { ...relative, callee: 'c', callsPerRequest: 0.25 });

  it('take the scale of another source that knows one of their edges', () => {
    const graph = graphOf(jaeger, set({ source: 'edges', callsPerRequest: 4, basis: 'stated', confidence: 0.8 }));
    expect(graph.edges).toMatchObject([{ callsPerRequest: 4 }, { callee: 'c', callsPerRequest: 1 }]);
    expect(graph.edges[1]?.confidence).toBeCloseTo(0.4);
    expect(graph.warnings).toEqual([expect.stringContaining('the scale of its calls is that of other sources')]);
  });

  it('are told as a guess where there is none', () => {
    const graph = graphOf(jaeger);
    expect(graph.edges).toMatchObject([
      { callsPerRequest: 1 },
      { callsPerRequest: 0.25, confidence: expect.closeTo(0.3) },
    ]);
    expect(graph.warnings).toEqual([expect.stringContaining('one call to b, which it calls most')]);
  });
});
