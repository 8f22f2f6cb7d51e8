import type { ServiceGraph } from '../spec/graph.js';
import { circlesOf, circleText } from '../spec/graphCycles.js';
import type { Circle } from '../spec/graphCycles.js';
import { solveCircle } from '../spec/graphGain.js';
import { ok, refused } from '../spec/problem.js';
import type { Problem, Result } from '../spec/problem.js';
import { indexGraph, innerCalls } from './graphIndex.js';
import type { GraphIndex } from './graphIndex.js';

/**
 * Requests per second that arrive at every service of the graph, when `entryRps` arrive from outside:
 * demand(s) = entry(s) + Σ over callers c of demand(c) × calls per request (c → s). Requests of each entry follow the
 * rates that edges have for it (`callsByEntry`), else their average. Circles are solved as a whole. Refused where the
 * calls of a circle would never end, or an entry is no service of the graph.
 */
export function propagateDemand(
  graph: ServiceGraph,
  entryRps: Readonly<Record<string, number>>,
): Result<Record<string, number>> {
  const index = indexGraph(graph);
  const problems = [...endlessProblems(graph, index), ...entryProblems(index, entryRps)];
  if (problems.length > 0) return refused(problems);
  const entries = Object.entries(entryRps);
  const total = new Float64Array(index.names.length);
  for (const [rates, own] of groupByRates(index, entries, 'callsByEntry')) {
    const arriving = new Float64Array(index.names.length);
    for (const [name, rps] of own) arriving[index.ids.get(name) ?? 0] = rps;
    const failed = flow(index, rates, arriving);
    if (failed !== null) return refused([endlessProblem(graph, index, failed, rates, own[0]?.[0])]);
    for (const [i, rps] of arriving.entries()) total[i] = (total[i] ?? 0) + rps;
  }
  const beyond = index.names.filter((_, i) => !Number.isFinite(total[i]));
  if (beyond.length > 0) return refused(beyond.map(beyondProblem));
  return ok(Object.fromEntries(index.names.map((name, i) => [name, total[i] ?? 0])));
}

/**
 * Requests that arrive at every service for one request at each entry: service → entry → calls; without those that
 * nothing reaches. Empty where demand cannot be propagated.
 */
export function callsByEntry(graph: ServiceGraph, entries: readonly string[]): Map<string, Map<string, number>> {
  return callsByKey(
    graph,
    entries.map((entry) => ({ key: entry, entry })),
    'callsByEntry',
  );
}

/**
 * The same by entry route (`<entry service> <method> <route>`), for every route that edges have rates for: service →
 * route → calls. An edge without a rate for a route takes that for its entry service, else the average.
 */
export function callsByRoute(graph: ServiceGraph): Map<string, Map<string, number>> {
  const known = new Set(graph.services);
  const routes = [...new Set(graph.edges.flatMap((edge) => Object.keys(edge.callsByRoute ?? {})))].sort();
  const keys = routes.flatMap((key) => {
    const entry = entryOfRoute(key, known);
    return entry === undefined ? [] : [{ key, entry }];
  });
  return callsByKey(graph, keys, 'callsByRoute');
}

/** Services that requests to `from` can reach, itself included. */
export function reachable(graph: ServiceGraph, from: string): ReadonlySet<string> {
  const { ids, names, first, callees, rates } = indexGraph(graph);
  const found = new Set([from]);
  for (const name of found) {
    const id = ids.get(name);
    if (id === undefined) continue;
    for (let at = first[id] ?? 0; at < (first[id + 1] ?? 0); at++) {
      if ((rates[at] ?? 0) > 0) found.add(names[callees[at] ?? 0] ?? '');
    }
  }
  return found;
}

type RatesField = 'callsByEntry' | 'callsByRoute';

/** Service names may hold spaces: the longest one that the route starts with is its entry. */
function entryOfRoute(route: string, known: ReadonlySet<string>): string | undefined {
  for (let end = route.lastIndexOf(' '); end > 0; end = route.lastIndexOf(' ', end - 1)) {
    const entry = route.slice(0, end);
    if (known.has(entry)) return entry;
  }
  return undefined;
}

function callsByKey(
  graph: ServiceGraph,
  keys: readonly { key: string; entry: string }[],
  field: RatesField,
): Map<string, Map<string, number>> {
  const index = indexGraph(graph);
  if (index.components.some(({ circle }) => circle?.endless === true)) return new Map();
  const calls = new Map<string, Map<string, number>>();
  for (const { key, entry } of keys) {
    const id = index.ids.get(entry);
    if (id === undefined) return new Map();
    const arriving = new Float64Array(index.names.length);
    arriving[id] = 1;
    if (flow(index, ratesFor(index, key, entry, field), arriving) !== null) return new Map();
    for (const [i, each] of arriving.entries()) {
      if (each === 0) continue;
      const service = index.names[i] ?? '';
      const own = calls.get(service) ?? new Map<string, number>();
      calls.set(service, own.set(key, each));
    }
  }
  return calls;
}

type Entry = [string, number];

/** Entries that follow the same rates flow together: all of them, where edges tell entries apart nowhere. */
function groupByRates(index: GraphIndex, entries: readonly Entry[], field: RatesField): [Float64Array, Entry[]][] {
  const together: Entry[] = [];
  const groups: [Float64Array, Entry[]][] = [];
  for (const entry of entries) {
    const rates = ratesFor(index, entry[0], entry[0], field);
    if (rates === index.rates) together.push(entry);
    else groups.push([rates, [entry]]);
  }
  return together.length > 0 ? [[index.rates, together], ...groups] : groups;
}

function ratesFor(index: GraphIndex, key: string, entry: string, field: RatesField): Float64Array {
  let own: Float64Array | null = null;
  for (const [at, edge] of index.edges.entries()) {
    const rate = ownRate(edge[field], key) ?? ownRate(edge.callsByEntry, entry);
    // Circles are found by the average: an edge that it says nothing goes along stays so.
    if (rate === undefined || rate === edge.callsPerRequest || edge.callsPerRequest === 0) continue;
    own ??= index.rates.slice();
    own[at] = rate;
  }
  return own ?? index.rates;
}

function ownRate(rates: Readonly<Record<string, number>> | undefined, key: string): number | undefined {
  return rates !== undefined && Object.hasOwn(rates, key) ? rates[key] : undefined;
}

/** Turns what arrives from outside into all that arrives, in place; the members of a circle that is endless, else null. */
function flow(index: GraphIndex, rates: Float64Array, arriving: Float64Array): readonly number[] | null {
  const { first, callees } = index;
  for (const { members, circle } of index.components) {
    if (circle !== undefined && !solveMembers(index, rates, arriving, members)) return members;
    const inside = circle === undefined ? null : new Set(members);
    for (const id of members) {
      const rps = arriving[id] ?? 0;
      if (rps === 0) continue;
      for (let at = first[id] ?? 0; at < (first[id + 1] ?? 0); at++) {
        const callee = callees[at] ?? 0;
        if (inside?.has(callee) !== true) arriving[callee] = (arriving[callee] ?? 0) + rps * (rates[at] ?? 0);
      }
    }
  }
  return null;
}

function solveMembers(
  index: GraphIndex,
  rates: Float64Array,
  arriving: Float64Array,
  members: readonly number[],
): boolean {
  const outside = Float64Array.from(members, (id) => arriving[id] ?? 0);
  if (outside.every((rps) => rps === 0)) return true;
  const solved = solveCircle(innerCalls(index, members, rates), outside);
  if (solved === null) return false;
  for (const [i, id] of members.entries()) arriving[id] = solved[i] ?? 0;
  return true;
}

function endlessProblems(graph: ServiceGraph, index: GraphIndex): Problem[] {
  if (!index.components.some(({ circle }) => circle?.endless === true)) return [];
  return circlesOf(graph.edges)
    .filter((circle) => circle.endless)
    .map((circle) => cycleProblem(circle));
}

function endlessProblem(
  graph: ServiceGraph,
  index: GraphIndex,
  members: readonly number[],
  rates: Float64Array,
  entry: string | undefined,
): Problem {
  const names = new Set(members.map((id) => index.names[id] ?? ''));
  const among = index.edges.map(({ caller, callee }, at) => ({ caller, callee, callsPerRequest: rates[at] ?? 0 }));
  const circle = circlesOf(among.filter(({ caller, callee }) => names.has(caller) && names.has(callee)))[0];
  const whole = circle ?? { services: [...names], walk: [...names], gain: 1 };
  return cycleProblem(whole, entry === undefined ? '' : ` for requests that enter at ${entry}`);
}

function cycleProblem(circle: Pick<Circle, 'services' | 'walk' | 'gain'>, when = ''): Problem {
  return {
    code: 'graph-cycle',
    field: 'graph',
    message: `${circleText(circle)} call each other in a circle of gain ${gainText(circle.gain)}${when}: the calls would never end`,
    expected: 'a gain below 1',
    fix: 'leave out the edge that closes the circle, or correct its calls per request',
  };
}

function beyondProblem(name: string): Problem {
  const fix = 'correct the calls per request on the way to it';
  return { code: 'graph-demand', field: `graph.${name}`, message: 'would get more requests than can be counted', fix };
}

/** Never rounded down below 1: the message would deny what it says. */
function gainText(gain: number): string {
  return String(Number(Math.max(1, gain).toPrecision(4)));
}

function entryProblems(index: GraphIndex, entryRps: Readonly<Record<string, number>>): Problem[] {
  return Object.entries(entryRps).flatMap(([name, rps]): Problem[] => {
    if (!index.ids.has(name)) {
      return [{ code: 'graph-entry', field: `entry.${name}`, message: 'is no service of the graph' }];
    }
    if (rps >= 0 && Number.isFinite(rps)) return [];
    return [{ code: 'graph-entry', field: `entry.${name}`, message: `is ${rps}`, expected: 'rps ≥ 0' }];
  });
}
