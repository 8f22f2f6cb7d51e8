import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import type { ServiceEdge, ServiceGraph } from '../spec/graph.js';
import { circlesOf, findCycles } from '../spec/graphCycles.js';
import { buildGraph } from './build.js';
import { condense } from './condense.js';
import { callsByEntry, callsByRoute, propagateDemand, reachable } from './propagate.js';

type Edge = readonly [caller: string, callee: string, callsPerRequest: number];

function graphOf(edges: readonly Edge[], services?: readonly string[]): ServiceGraph {
  const list = edges.map(([caller, callee, callsPerRequest]) => ({ caller, callee, callsPerRequest }));
  const built = buildGraph({ edges: list, ...(services === undefined ? {} : { services }) });
  if (!built.ok) throw new Error(JSON.stringify(built.problems));
  return built.value;
}

describe('circles', () => {
  const cases: [string, Edge[], { services: string[]; gain: number; endless: boolean }[]][] = [
    [
      'none in a diamond',
      [
        ['a', 'b', 1],
        ['a', 'c', 1],
        ['b', 'd', 1],
        ['c', 'd', 1],
      ],
      [],
    ],
    [
      'two',
      [
        ['a', 'b', 0.5],
        ['b', 'a', 0.5],
        ['c', 'c', 2],
      ],
      [
        { services: ['a', 'b'], gain: 0.5, endless: false },
        { services: ['c'], gain: 2, endless: true },
      ],
    ],
    [
      'a long one',
      [
        ['a', 'b', 4],
        ['b', 'c', 2],
        ['c', 'a', 0.125],
      ],
      [{ services: ['a', 'b', 'c'], gain: 1, endless: true }],
    ],
    [
      'a little less than endless',
      [
        ['a', 'b', 4],
        ['b', 'c', 2],
        ['c', 'a', 0.1249],
      ],
      [{ services: ['a', 'b', 'c'], gain: 0.99973, endless: false }],
    ],
    // Eigenvalues of [[0, 1], [1, 1]] · 0.6: the golden ratio times 0.6.
    [
      'two through one service',
      [
        ['a', 'b', 0.6],
        ['b', 'a', 0.6],
        ['b', 'b', 0.6],
      ],
      [{ services: ['a', 'b'], gain: 0.6 * 1.618034, endless: false }],
    ],
    [
      'none over a call that is never made',
      [
        ['a', 'b', 1],
        ['b', 'a', 0],
      ],
      [],
    ],
  ];
  it.each(cases)('%s', (_, edges, expected) => {
    const found = circlesOf(edges.map(([caller, callee, callsPerRequest]) => ({ caller, callee, callsPerRequest })));
    expect(found.map(({ services, endless }) => ({ services, endless }))).toEqual(
      expected.map(({ services, endless }) => ({ services, endless })),
    );
    for (const [i, { gain }] of expected.entries()) expect(found[i]?.gain).toBeCloseTo(gain, 4);
  });

  it('are found whole, with the shortest way round', () => {
    const calls = ['ab', 'bc', 'cd', 'da', 'ca'].map(([caller = '', callee = '']) => ({ caller, callee }));
    expect(findCycles(calls)).toEqual([['a', 'b', 'c', 'd']]);
    expect(circlesOf(calls.map((call) => ({ ...call, callsPerRequest: 1 })))[0]?.walk).toEqual(['a', 'b', 'c']);
  });

  it('of many services do not exhaust the stack', () => {
    const names = Array.from({ length: 4000 }, (_, i) => `s${i}`);
    const edges = names.map((name, i): Edge => [name, names[(i + 1) % names.length] ?? '', i === 0 ? 0.5 : 1]);
    const graph = graphOf(edges);
    expect(graph.cycles[0]).toHaveLength(4000);
    const demand = propagateDemand(graph, { s0: 1 });
    expect(demand.ok && demand.value['s0']).toBeCloseTo(2, 6);
  });
});

const rate = fc.double({ min: 0, max: 0.4, noNaN: true });
/** Any graph at all, with few enough calls that every circle ends. */
const cyclic = fc
  .tuple(fc.integer({ min: 1, max: 7 }), fc.array(fc.tuple(fc.nat(6), fc.nat(6), rate), { maxLength: 25 }))
  .map(([size, raw]) => {
    const names = Array.from({ length: size }, (_, i) => `s${i}`);
    const list = raw.map(([from, to, calls]): Edge => [`s${from % size}`, `s${to % size}`, calls]);
    const budget = new Map<string, number>();
    for (const [caller, , calls] of list) budget.set(caller, (budget.get(caller) ?? 0) + calls);
    const unique = new Map(
      list.map(([a, b, c]) => [`${a} ${b}`, [a, b, (0.95 * c) / Math.max(1, budget.get(a) ?? 1)] as const]),
    );
    return graphOf([...unique.values()], names.toReversed());
  });

describe('propagateDemand through circles', () => {
  it('balances: what arrives is what comes from outside and what callers send', () => {
    fc.assert(
      fc.property(cyclic, fc.double({ min: 0, max: 1000, noNaN: true }), (graph, entry) => {
        const result = propagateDemand(graph, { s0: entry });
        const demand = result.ok ? result.value : {};
        expect(result.ok).toBe(true);
        for (const name of graph.services) {
          const calls = graph.edges.filter((edge) => edge.callee === name);
          const sent = calls.reduce((sum, edge) => sum + (demand[edge.caller] ?? 0) * edge.callsPerRequest, 0);
          const expected = sent + (name === 's0' ? entry : 0);
          expect(Math.abs((demand[name] ?? -1) - expected)).toBeLessThanOrEqual(1e-6 * Math.max(1, expected));
        }
      }),
    );
  });

  it('lists components with callers first', () => {
    fc.assert(
      fc.property(cyclic, (graph) => {
        const components = condense(graph);
        const place = new Map(components.flatMap(({ services }, i) => services.map((name) => [name, i] as const)));
        expect([...place.keys()].sort()).toEqual([...graph.services].sort());
        for (const { caller, callee, callsPerRequest } of graph.edges) {
          if (callsPerRequest > 0) expect(place.get(caller) ?? 99).toBeLessThanOrEqual(place.get(callee) ?? -1);
        }
      }),
    );
  });

  it('names the circle and its gain where calls would never end', () => {
    expect(
      propagateDemand(
        graphOf([
          ['a', 'b', 2],
          ['b', 'a', 2],
        ]),
        { a: 1 },
      ),
    ).toMatchObject({
      ok: false,
      problems: [{ code: 'graph-cycle', message: expect.stringMatching(/a → b → a .* gain 2:/) }],
    });
    expect(callsByEntry(graphOf([['a', 'a', 1]]), ['a'])).toEqual(new Map());
  });

  it('agrees between elimination and rounds, in a circle too large for the one', () => {
    const names = Array.from({ length: 301 }, (_, i) => `s${String(i).padStart(3, '0')}`);
    const ring = names.map((name, i): Edge => [name, names[(i + 1) % names.length] ?? '', 0.9]);
    const large = propagateDemand(graphOf(ring), { s000: 1 });
    // One round of the ring is 0.9³⁰¹ of a request.
    expect(large.ok && large.value['s001']).toBeCloseTo(0.9 / (1 - 0.9 ** 301), 9);
  });
});

describe('rates by entry', () => {
  const edge = (
    caller: string,
    callee: string,
    callsPerRequest: number,
    more: Partial<ServiceEdge> = {},
  ): ServiceEdge => {
    return { caller, callee, callsPerRequest, sources: [], confidence: 1, ...more };
  };
  const graph: ServiceGraph = {
    services: ['app', 'web', 'mid', 'leaf', 'constructor'],
    edges: [
      edge('web', 'mid', 1),
      edge('app', 'mid', 1),
      edge('mid', 'leaf', 2, { callsByEntry: { web: 0, app: 4 }, callsByRoute: { 'app GET /x': 8 } }),
      edge('leaf', 'constructor', 1),
    ],
    cycles: [],
    warnings: [],
  };

  it('are followed each by its own entry', () => {
    expect(callsByEntry(graph, ['web', 'app'])).toEqual(
      new Map([
        ['web', new Map([['web', 1]])],
        ['app', new Map([['app', 1]])],
        [
          'mid',
          new Map([
            ['web', 1],
            ['app', 1],
          ]),
        ],
        ['leaf', new Map([['app', 4]])],
        ['constructor', new Map([['app', 4]])],
      ]),
    );
    const demand = propagateDemand(graph, { web: 10, app: 2, mid: 1 });
    // What enters at mid follows the average.
    expect(demand.ok && demand.value).toEqual({ web: 10, app: 2, mid: 13, leaf: 10, constructor: 10 });
    expect(callsByRoute(graph).get('leaf')).toEqual(new Map([['app GET /x', 8]]));
  });

  it('can make a circle endless that is none on average', () => {
    const circle = {
      ...graph,
      edges: [edge('mid', 'leaf', 0.5, { callsByEntry: { web: 2 } }), edge('leaf', 'mid', 1), edge('web', 'mid', 1)],
    };
    expect(propagateDemand(circle, { app: 1 }).ok).toBe(true);
    expect(propagateDemand(circle, { web: 1 })).toMatchObject({
      ok: false,
      problems: [{ code: 'graph-cycle', message: expect.stringContaining('for requests that enter at web') }],
    });
  });

  it('do not change who can be reached', () => {
    expect([...reachable(graph, 'web')]).toEqual(['web', 'mid', 'leaf', 'constructor']);
  });
});
