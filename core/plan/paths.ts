/** Callee → calls per request, by caller. */
export type Calls = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** Each service's deepest path of calls below it, counted in services: a service that calls nobody is 1 deep. */
export function depths(calls: Calls): Record<string, number> {
  return foldPaths(calls, (_, callees) => 1 + Math.max(0, ...callees));
}

/**
 * Folds a graph from the callees up: `combine` gets a service and the results of the services that it calls. A call
 * that closes a circle is skipped, so that it ends on any input.
 */
export function foldPaths(
  calls: Calls,
  combine: (service: string, callees: readonly number[]) => number,
): Record<string, number> {
  const results: Record<string, number> = {};
  const open = new Set<string>();
  const visit = (service: string): number | undefined => {
    const known = results[service];
    if (known !== undefined) return known;
    if (open.has(service)) return undefined;
    open.add(service);
    const below = Object.entries(calls[service] ?? {})
      .filter(([, callsPerRequest]) => callsPerRequest > 0)
      .map(([callee]) => visit(callee))
      .filter((value) => value !== undefined);
    open.delete(service);
    return (results[service] = combine(service, below));
  };
  for (const service of Object.keys(calls)) visit(service);
  return results;
}
