import type { ServiceEdge } from '../spec/graph.js';

type Link = Pick<ServiceEdge, 'caller' | 'callee'>;

/**
 * Strongly connected components that hold a circle: each a sorted list of services that call each other in a
 * circle; a service that calls itself is one alone. Tarjan's algorithm, iterative, as graphs may be deep.
 */
export function findCycles(services: readonly string[], edges: readonly Link[]): string[][] {
  const callees = adjacency(services, edges);
  const selfCallers = new Set(edges.filter((edge) => edge.caller === edge.callee).map((edge) => edge.caller));
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const onStack = new Set<string>();
  const stack: string[] = [];
  const cycles: string[][] = [];
  const enter = (name: string): { name: string; next: number } => {
    index.set(name, index.size);
    low.set(name, index.size - 1);
    stack.push(name);
    onStack.add(name);
    return { name, next: 0 };
  };
  const lower = (name: string, to: number): void => void low.set(name, Math.min(low.get(name) ?? to, to));
  const leave = (name: string): void => {
    if (low.get(name) !== index.get(name)) return;
    const component = stack.splice(stack.indexOf(name));
    component.forEach((member) => onStack.delete(member));
    if (component.length > 1 || selfCallers.has(name)) cycles.push(component.sort());
  };
  for (const root of services) {
    if (index.has(root)) continue;
    const frames = [enter(root)];
    for (let frame = frames.at(-1); frame !== undefined; frame = frames.at(-1)) {
      const callee = (callees.get(frame.name) ?? [])[frame.next++];
      if (callee === undefined) {
        leave(frame.name);
        frames.pop();
        const parent = frames.at(-1);
        if (parent !== undefined) lower(parent.name, low.get(frame.name) ?? 0);
      } else if (!index.has(callee)) frames.push(enter(callee));
      else if (onStack.has(callee)) lower(frame.name, index.get(callee) ?? 0);
    }
  }
  return cycles.sort((a, b) => ((a[0] ?? '') < (b[0] ?? '') ? -1 : 1));
}

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
