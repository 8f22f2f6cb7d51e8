import { stronglyConnected } from '../spec/graphCycles.js';

/** Callee → calls per request, by caller. */
export type Calls = Readonly<Record<string, Readonly<Record<string, number>>>>;

/**
 * Folds a graph from the callees up: `combine` gets a service and the results of the services that it calls. Services
 * that call each other in a circle all get the results of what the circle calls outside itself, so that the order of
 * the input changes nothing. Linear in services and calls, and without recursion: a chain of thousands fits.
 */
export function foldPaths(
  calls: Calls,
  combine: (service: string, callees: readonly number[]) => number,
): Record<string, number> {
  const links = linksOf(calls);
  const results: number[] = links.names.map(() => 0);
  for (const circle of circlesOf(links)) {
    const inside = new Set(circle);
    const below = new Set(circle.flatMap((node) => links.callees[node] ?? []).filter((node) => !inside.has(node)));
    const values = [...below].map((node) => results[node] ?? 0);
    for (const node of circle) results[node] = combine(links.names[node] ?? '', values);
  }
  return Object.fromEntries(links.names.map((name, i) => [name, results[i] ?? 0]));
}

/** Services that call each other in a circle, by a number that they share and nobody else has. */
export function circleNumbers(calls: Calls): ReadonlyMap<string, number> {
  const links = linksOf(calls);
  return new Map(circlesOf(links).flatMap((circle, i) => circle.map((node) => [links.names[node] ?? '', i] as const)));
}

/** Services, callers before callees; those that call each other in a circle together. */
export function callersFirst(calls: Calls): string[][] {
  const links = linksOf(calls);
  return circlesOf(links)
    .reverse()
    .map((circle) => circle.map((node) => links.names[node] ?? ''));
}

interface Links {
  names: readonly string[];
  /** Places in `names`, by caller. */
  callees: readonly (readonly number[])[];
}

function linksOf(calls: Calls): Links {
  const made = Object.entries(calls).map(([caller, callees]) => {
    const called = Object.entries(callees).filter(([, callsPerRequest]) => callsPerRequest > 0);
    return [caller, called.map(([callee]) => callee)] as const;
  });
  const names = [...new Set(made.flatMap(([caller, callees]) => [caller, ...callees]))];
  const ids = new Map(names.map((name, i) => [name, i]));
  const called = new Map(made);
  return { names, callees: names.map((name) => (called.get(name) ?? []).map((callee) => ids.get(callee) ?? 0)) };
}

/** Callees first. */
function circlesOf({ names, callees }: Links): number[][] {
  return stronglyConnected(names.length, (node) => callees[node] ?? []);
}
