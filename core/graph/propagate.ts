import type { ServiceGraph } from '../spec/graph.js';
import { ok, refused } from '../spec/problem.js';
import type { Problem, Result } from '../spec/problem.js';
import { topologicalOrder } from './topologicalOrder.js';

/**
 * Requests per second that arrive at every service of the graph, when `entryRps` arrive from outside:
 * demand(s) = entry(s) + Σ over callers c of demand(c) × calls per request (c → s).
 * Refused where services call each other in a circle (the sum has no order) or an entry is no service of the graph.
 */
export function propagateDemand(
  graph: ServiceGraph,
  entryRps: Readonly<Record<string, number>>,
): Result<Record<string, number>> {
  const problems = [...graph.cycles.map(cycleProblem), ...entryProblems(graph, entryRps)];
  if (problems.length > 0) return refused(problems);
  const demand = new Map(graph.services.map((name) => [name, entryRps[name] ?? 0]));
  const outgoing = new Map<string, { callee: string; callsPerRequest: number }[]>();
  for (const edge of graph.edges) outgoing.set(edge.caller, [...(outgoing.get(edge.caller) ?? []), edge]);
  for (const caller of topologicalOrder(graph.services, graph.edges)) {
    const rps = demand.get(caller) ?? 0;
    for (const { callee, callsPerRequest } of outgoing.get(caller) ?? []) {
      demand.set(callee, (demand.get(callee) ?? 0) + rps * callsPerRequest);
    }
  }
  return ok(Object.fromEntries(demand));
}

/**
 * Requests that arrive at every service for one request at each entry: service → entry → calls; without those that
 * nothing reaches. Empty where demand cannot be propagated.
 */
export function callsByEntry(graph: ServiceGraph, entries: readonly string[]): Map<string, Map<string, number>> {
  const calls = new Map<string, Map<string, number>>();
  for (const entry of entries) {
    const one = propagateDemand(graph, { [entry]: 1 });
    if (!one.ok) return new Map();
    for (const [service, rps] of Object.entries(one.value)) {
      if (rps === 0) continue;
      const own = calls.get(service) ?? new Map<string, number>();
      calls.set(service, own.set(entry, rps));
    }
  }
  return calls;
}

/** Services that requests to `from` can reach, itself included. */
export function reachable(graph: ServiceGraph, from: string): ReadonlySet<string> {
  const found = new Set([from]);
  for (const name of found) {
    for (const edge of graph.edges) if (edge.caller === name && edge.callsPerRequest > 0) found.add(edge.callee);
  }
  return found;
}

function cycleProblem(cycle: readonly string[]): Problem {
  return {
    code: 'graph-cycle',
    field: 'graph',
    message: `${[...cycle, cycle[0]].join(' → ')} call each other in a circle: demand cannot be propagated`,
    fix: 'leave out the edge that closes the circle, or split the service that both call and are called',
  };
}

function entryProblems(graph: ServiceGraph, entryRps: Readonly<Record<string, number>>): Problem[] {
  return Object.entries(entryRps).flatMap(([name, rps]): Problem[] => {
    if (!graph.services.includes(name)) {
      return [{ code: 'graph-entry', field: `entry.${name}`, message: 'is no service of the graph' }];
    }
    if (rps >= 0 && Number.isFinite(rps)) return [];
    return [{ code: 'graph-entry', field: `entry.${name}`, message: `is ${rps}`, expected: 'rps ≥ 0' }];
  });
}
