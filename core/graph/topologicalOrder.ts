import type { ServiceEdge } from '../spec/graph.js';

type Link = Pick<ServiceEdge, 'caller' | 'callee'>;

/** Callers before callees. Only for graphs without cycles: services of a circle and what they reach are missing. */
export function topologicalOrder(services: readonly string[], edges: readonly Link[]): string[] {
  const callees = adjacency(services, edges);
  const callers = new Map(services.map((name) => [name, 0]));
  for (const list of callees.values()) for (const callee of list) callers.set(callee, (callers.get(callee) ?? 0) + 1);
  const ready = services.filter((name) => callers.get(name) === 0);
  for (let i = 0; i < ready.length; i++) {
    for (const callee of callees.get(ready[i] ?? '') ?? []) {
      const left = (callers.get(callee) ?? 0) - 1;
      callers.set(callee, left);
      if (left === 0) ready.push(callee);
    }
  }
  return ready;
}

function adjacency(services: readonly string[], edges: readonly Link[]): Map<string, string[]> {
  const callees = new Map<string, string[]>(services.map((name) => [name, []]));
  for (const { caller, callee } of edges) callees.get(caller)?.push(callee);
  return callees;
}
