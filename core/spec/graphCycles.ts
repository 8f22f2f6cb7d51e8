/**
 * Groups of services that call each other in a circle (strongly connected components of more than one service, and
 * services that call themselves), each in the order of a walk along its calls. Iterative, so that a long chain of
 * services cannot exhaust the stack.
 */
export function findCycles(calls: readonly { caller: string; callee: string }[]): readonly (readonly string[])[] {
  const callees = new Map<string, string[]>();
  for (const { caller, callee } of calls) {
    callees.set(caller, [...(callees.get(caller) ?? []), callee]);
    if (!callees.has(callee)) callees.set(callee, []);
  }
  const cycles: string[][] = [];
  const done = new Set<string>();
  for (const start of callees.keys()) {
    if (done.has(start)) continue;
    const stack = [{ name: start, next: 0 }];
    const onPath = new Map([[start, 0]]);
    while (stack.length > 0) {
      const frame = stack[stack.length - 1];
      if (frame === undefined) break;
      const callee = callees.get(frame.name)?.[frame.next++];
      if (callee === undefined) {
        done.add(frame.name);
        onPath.delete(frame.name);
        stack.pop();
        continue;
      }
      const from = onPath.get(callee);
      if (from !== undefined) cycles.push(stack.slice(from).map(({ name }) => name));
      else if (!done.has(callee)) {
        onPath.set(callee, stack.length);
        stack.push({ name: callee, next: 0 });
      }
    }
  }
  return cycles;
}
