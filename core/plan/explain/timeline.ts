import type { MeshPlan, ServicePlan } from '../../spec/plan.js';

export type Services = ReadonlyMap<string, ServicePlan>;

/** A stretch of time in which neither plan changes, with all that each has in force. */
export interface Stretch {
  fromMs: number;
  toMs: number;
  before: Services;
  after: Services;
}

interface InForce {
  fromMs: number;
  toMs: number;
  services: Services;
}

/** Each window with all services, those that it inherits from the windows before it too. */
export function inForce(plan: MeshPlan): InForce[] {
  let services: Services = new Map();
  return plan.windows.map((window) => {
    services = new Map([...services, ...window.services.map((service) => [service.service, service] as const)]);
    return { fromMs: Date.parse(window.from), toMs: Date.parse(window.to), services };
  });
}

/**
 * The time that both plans cover, cut wherever one of them changes. Plans that share no time are compared where the one
 * would follow the other: the last window of the first against the first of the second.
 */
export function commonStretches(before: MeshPlan, after: MeshPlan): Stretch[] {
  const [old, young] = [inForce(before), inForce(after)];
  const cuts = [...new Set([...old, ...young].flatMap(({ fromMs, toMs }) => [fromMs, toMs]))].sort((a, b) => a - b);
  const at = (windows: readonly InForce[], ms: number): InForce | undefined =>
    windows.find(({ fromMs, toMs }) => fromMs <= ms && ms < toMs);
  const shared = cuts.slice(0, -1).flatMap((fromMs, i): Stretch[] => {
    const [one, other] = [at(old, fromMs), at(young, fromMs)];
    if (one === undefined || other === undefined) return [];
    return [{ fromMs, toMs: cuts[i + 1] ?? fromMs, before: one.services, after: other.services }];
  });
  const [last, first] = [old.at(-1), young[0]];
  if (shared.length > 0 || last === undefined || first === undefined) return shared;
  return [{ fromMs: first.fromMs, toMs: first.toMs, before: last.services, after: first.services }];
}
