import type { PermitRequest } from './messages.js';

/** What granting needs to know of a request or a permit. */
export type Change = Pick<PermitRequest, 'region' | 'neighbours'>;

export interface GrantRules {
  maxConcurrentChanges: number;
  /** `null`: a region and the neighbours that it names. */
  failover: readonly (readonly [string, string])[] | null;
}

/** Whether the two are each other's failover targets, and so never change together. */
export function areApart(a: Change, b: Change, { failover }: GrantRules): boolean {
  if (a.region === b.region) return true;
  if (failover === null) return a.neighbours.includes(b.region) || b.neighbours.includes(a.region);
  return failover.some(([one, other]) =>
    one === a.region ? other === b.region : one === b.region && other === a.region,
  );
}

/**
 * The requests that are granted now, in the order in which they came. It upholds:
 * 1. never more than the fleet's number at once, and never two that are each other's failover targets;
 * 2. nobody starves: one that waits for its failover target is not overtaken by another of its failover targets, so
 *    that it waits for no permit but those that were out when it came to the head of the line.
 */
export function grantable<C extends Change>(waiting: readonly C[], granted: readonly Change[], rules: GrantRules): C[] {
  const now: C[] = [];
  const before: Change[] = [...granted];
  for (const request of waiting) {
    if (granted.length + now.length >= rules.maxConcurrentChanges) break;
    if (!before.some((change) => areApart(change, request, rules))) now.push(request);
    // Also where it is passed over: what comes behind it and is apart from it would make it wait longer.
    before.push(request);
  }
  return now;
}

/** In words, for `status`. */
export function whyWaiting(
  request: Change,
  ahead: readonly Change[],
  granted: readonly Change[],
  rules: GrantRules,
): string {
  const blocker = [...granted, ...ahead].find((change) => areApart(change, request, rules));
  if (blocker !== undefined) return `its failover target ${blocker.region} changes first`;
  return `${granted.length} of ${rules.maxConcurrentChanges} permits are out`;
}
