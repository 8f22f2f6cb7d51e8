import type { ServiceEdge, ServiceGraph } from '../spec/graph.js';
import { stronglyConnected } from '../spec/graphCycles.js';
import { gainOf } from '../spec/graphGain.js';
import type { InnerCall } from '../spec/graphGain.js';

/** A graph by number, made once for many walks over it. Edges are listed by caller. */
export interface GraphIndex {
  names: readonly string[];
  ids: ReadonlyMap<string, number>;
  /** The edges of service i are `first[i]` … `first[i + 1] − 1`. */
  first: Int32Array;
  callees: Int32Array;
  /** Average calls per request. */
  rates: Float64Array;
  edges: readonly ServiceEdge[];
  /** Callers before callees. */
  components: readonly IndexedComponent[];
}

export interface IndexedComponent {
  members: readonly number[];
  /** Of services that call each other in a circle, or of one that calls itself. */
  circle?: { gain: number; endless: boolean };
}

/** Edges to or from what is no service of the graph are left out. Time and memory grow with services and edges. */
export function indexGraph(graph: ServiceGraph): GraphIndex {
  const names = graph.services;
  const ids = new Map(names.map((name, i) => [name, i]));
  const known = graph.edges.filter(({ caller, callee }) => ids.has(caller) && ids.has(callee));
  const first = new Int32Array(names.length + 1);
  for (const { caller } of known) count(first, (ids.get(caller) ?? 0) + 1);
  for (let i = 0; i < names.length; i++) first[i + 1] = (first[i + 1] ?? 0) + (first[i] ?? 0);
  const free = first.slice();
  const edges = new Array<ServiceEdge>(known.length);
  const callees = new Int32Array(known.length);
  const rates = new Float64Array(known.length);
  for (const edge of known) {
    const at = count(free, ids.get(edge.caller) ?? 0);
    edges[at] = edge;
    callees[at] = ids.get(edge.callee) ?? 0;
    rates[at] = edge.callsPerRequest;
  }
  return {
    names,
    ids,
    first,
    callees,
    rates,
    edges,
    components: componentsOf(names.length, first, callees, rates),
  };
}

/** Adds one and tells what was there before. */
function count(list: Int32Array, at: number): number {
  const before = list[at] ?? 0;
  list[at] = before + 1;
  return before;
}

type Lists = Pick<GraphIndex, 'first' | 'callees' | 'rates'>;

function componentsOf(size: number, first: Int32Array, callees: Int32Array, rates: Float64Array): IndexedComponent[] {
  const index = { first, callees, rates };
  // Calls of rate 0 lead nowhere; most graphs have none.
  const lists = Array.from({ length: size }, (_, node) => calledBy(index, node));
  const found = stronglyConnected(size, (node) => lists[node] ?? []);
  return found.reverse().map((members): IndexedComponent => {
    const [only = 0, ...others] = members;
    if (others.length === 0 && !(lists[only]?.includes(only) ?? false)) return { members };
    return { members, circle: gainOf(members.length, innerCalls(index, members, rates)) };
  });
}

function calledBy({ first, callees, rates }: Lists, node: number): number[] {
  const list: number[] = [];
  for (let at = first[node] ?? 0; at < (first[node + 1] ?? 0); at++) {
    if ((rates[at] ?? 0) > 0) list.push(callees[at] ?? 0);
  }
  return list;
}

/** The calls among the members of a component, by their places in it. */
export function innerCalls(
  { first, callees }: Pick<GraphIndex, 'first' | 'callees'>,
  members: readonly number[],
  rates: Float64Array,
): InnerCall[] {
  const place = new Map(members.map((id, i) => [id, i]));
  const calls: InnerCall[] = [];
  for (const [from, id] of members.entries()) {
    for (let at = first[id] ?? 0; at < (first[id + 1] ?? 0); at++) {
      const to = place.get(callees[at] ?? 0);
      const rate = rates[at] ?? 0;
      if (to !== undefined && rate > 0) calls.push({ from, to, rate });
    }
  }
  return calls;
}
