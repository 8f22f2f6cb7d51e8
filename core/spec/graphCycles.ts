import { gainOf } from './graphGain.js';
import type { InnerCall } from './graphGain.js';

export interface RatedCall {
  caller: string;
  callee: string;
  callsPerRequest: number;
}

/** Services that call each other in a circle, as whole: a strongly connected component. */
export interface Circle {
  /** In the order of a walk along their calls, from the first by name. */
  services: readonly string[];
  /** The shortest way from the first service back to it. */
  walk: readonly string[];
  /**
   * What every round of calls among them multiplies requests by (the spectral radius of their calls per request; for a
   * plain circle the geometric mean). Below 1 the rounds die out.
   */
  gain: number;
  /** Whether requests that come in would go round for ever: a gain of 1 or more. */
  endless: boolean;
}

/** Groups of services that call each other in a circle, and services that call themselves, in the order of a walk. */
export function findCycles(calls: readonly { caller: string; callee: string }[]): readonly (readonly string[])[] {
  const links = linksOf(calls);
  return cyclicComponents(links).map((members) => walkThrough(links, members).map((id) => nameOf(links, id)));
}

/** Circles with what they multiply requests by. Calls of rate 0 close none. */
export function circlesOf(calls: readonly RatedCall[]): readonly Circle[] {
  const rated = calls.filter((call) => call.callsPerRequest > 0);
  const links = linksOf(rated);
  const rates = new Map<number, Map<number, number>>();
  for (const { caller, callee, callsPerRequest } of rated) {
    const [from, to] = [links.ids.get(caller) ?? 0, links.ids.get(callee) ?? 0];
    const own = rates.get(from) ?? new Map<number, number>();
    rates.set(from, own.set(to, (own.get(to) ?? 0) + callsPerRequest));
  }
  return cyclicComponents(links).map((unordered) => {
    const members = walkThrough(links, unordered);
    const at = new Map(members.map((id, i) => [id, i]));
    const among = members.flatMap((id, from) =>
      [...(rates.get(id) ?? [])].flatMap(([callee, rate]): InnerCall[] => {
        const to = at.get(callee);
        return to === undefined ? [] : [{ from, to, rate }];
      }),
    );
    const services = members.map((id) => nameOf(links, id));
    const walk = shortestCircle(links, members).map((id) => nameOf(links, id));
    return { services, walk, ...gainOf(members.length, among) };
  });
}

/** `a → b → c → a`, and how many more services belong to the circle. */
export function circleText({ services, walk }: Pick<Circle, 'services' | 'walk'>): string {
  const more = services.length > walk.length ? ` (a circle of ${services.length} services in all)` : '';
  return `${[...walk, walk[0]].join(' → ')}${more}`;
}

/**
 * Strongly connected components (Tarjan 1972), those that are called before those that call them, each in the order of a
 * walk, in which its equations settle fastest. Iterative, so that a
 * long chain of services cannot exhaust the stack. `callees(i)` are nodes 0 … size − 1.
 */
export function stronglyConnected(size: number, callees: (node: number) => ArrayLike<number>): number[][] {
  const found: number[][] = [];
  const order = new Int32Array(size).fill(-1);
  const low = new Int32Array(size);
  const next = new Int32Array(size);
  const waiting: number[] = [];
  const isWaiting = new Uint8Array(size);
  let count = 0;
  const enter = (node: number, path: number[]): void => {
    order[node] = low[node] = count++;
    waiting.push(node);
    isWaiting[node] = 1;
    path.push(node);
  };
  const leave = (node: number): void => {
    if (low[node] !== order[node]) return;
    const component = waiting.splice(waiting.lastIndexOf(node));
    for (const member of component) isWaiting[member] = 0;
    found.push(component);
  };
  for (let root = 0; root < size; root++) {
    if (order[root] !== -1) continue;
    const path: number[] = [];
    enter(root, path);
    for (let node = path.at(-1); node !== undefined; node = path.at(-1)) {
      const list = callees(node);
      const position = next[node] ?? 0;
      const callee = list[position];
      if (position < list.length && callee !== undefined) {
        next[node] = position + 1;
        if (order[callee] === -1) enter(callee, path);
        else if (isWaiting[callee] === 1) low[node] = Math.min(low[node] ?? 0, order[callee] ?? 0);
        continue;
      }
      path.pop();
      leave(node);
      const caller = path.at(-1);
      if (caller !== undefined) low[caller] = Math.min(low[caller] ?? 0, low[node] ?? 0);
    }
  }
  return found;
}

interface Links {
  ids: ReadonlyMap<string, number>;
  /** Sorted, so that the order in which calls are listed changes nothing. */
  names: readonly string[];
  callees: readonly (readonly number[])[];
}

function linksOf(calls: readonly { caller: string; callee: string }[]): Links {
  const names = [...new Set(calls.flatMap(({ caller, callee }) => [caller, callee]))].sort();
  const ids = new Map(names.map((name, i) => [name, i]));
  const callees = names.map((): Set<number> => new Set());
  for (const { caller, callee } of calls) callees[ids.get(caller) ?? 0]?.add(ids.get(callee) ?? 0);
  return { ids, names, callees: callees.map((set) => [...set].sort((a, b) => a - b)) };
}

function nameOf(links: Links, id: number): string {
  return links.names[id] ?? '';
}

function cyclicComponents(links: Links): number[][] {
  return stronglyConnected(links.names.length, (node) => links.callees[node] ?? [])
    .filter(([first = 0, ...others]) => others.length > 0 || links.callees[first]?.includes(first) === true)
    .map((members) => members.sort((a, b) => a - b))
    .sort(([a = 0], [b = 0]) => a - b);
}

/** Depth first from the first member; the walk of a plain circle. */
function walkThrough(links: Links, members: readonly number[]): number[] {
  const inside = new Set(members);
  const seen = new Set<number>();
  const open = members.slice(0, 1);
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    for (const callee of (links.callees[node] ?? []).toReversed()) if (inside.has(callee)) open.push(callee);
  }
  return [...seen];
}

function shortestCircle(links: Links, members: readonly number[]): number[] {
  const [start = 0] = members;
  const inside = new Set(members);
  const cameFrom = new Map<number, number>();
  const queue = [start];
  for (const node of queue) {
    for (const callee of links.callees[node] ?? []) {
      if (callee === start) return backFrom(node, start, cameFrom);
      if (!inside.has(callee) || cameFrom.has(callee)) continue;
      cameFrom.set(callee, node);
      queue.push(callee);
    }
  }
  return [...members];
}

function backFrom(last: number, start: number, cameFrom: ReadonlyMap<number, number>): number[] {
  const walk = [last];
  for (let node = last; node !== start;) {
    node = cameFrom.get(node) ?? start;
    walk.push(node);
  }
  return walk.reverse();
}
