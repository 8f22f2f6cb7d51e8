import type { MeshPlan, ServicePlan } from '../../spec/plan.js';
import type { Fact } from './facts.js';
import { factsOf, reasonedFact } from './facts.js';
import { inForce } from './timeline.js';

/** One value of a plan: what it is, why, and from which numbers. */
export interface Explanation {
  /** Start of its window, ISO 8601, UTC. */
  window: string;
  service: string;
  /** `checkout.rateLimit.rps`, `checkout.weight.north`, `checkout.instances`. */
  address: string;
  value: number | string;
  /** `rps`, `requests`, `percent`, `ms`, `count`, `share`, `name`, or empty where there is none. */
  unit: string;
  /** A sentence. */
  reason: string;
  inputs: Readonly<Record<string, number | string>>;
  /** The range that the gates covered, where the adjustment may move it. */
  bounds?: { min: number; max: number };
}

export interface ExplainOptions {
  service?: string;
  /** An instant, ISO 8601: all that is in force then. Absent: each window with what it changes, the first with all. */
  window?: string;
}

/** Every value that has a reason, by window, service and in the order of the plan. Empty when nothing fits. */
export function explainPlan(plan: MeshPlan, { service, window }: ExplainOptions = {}): Explanation[] {
  return windowsOf(plan, window).flatMap(({ from, services }) =>
    services
      .filter((one) => service === undefined || one.service === service)
      .flatMap((one) => reasoned(one).map((fact) => explanation(fact, one, from))),
  );
}

interface Shown {
  from: string;
  services: readonly ServicePlan[];
}

function windowsOf(plan: MeshPlan, at: string | undefined): Shown[] {
  if (at === undefined) return [...plan.windows];
  const ms = Date.parse(at);
  return inForce(plan)
    .filter(({ fromMs, toMs }) => fromMs <= ms && ms < toMs)
    .map(({ fromMs, services }) => ({ from: new Date(fromMs).toISOString(), services: [...services.values()] }));
}

/** Weights one by one: each region's has a reason of its own. */
function reasoned(plan: ServicePlan): Fact[] {
  return factsOf(plan).flatMap((fact) => {
    if (fact.kind !== 'weights') return fact.reason === '' ? [] : [fact];
    return Object.entries(plan.weights).map(([region, weight]) =>
      reasonedFact(weight, { kind: 'weights', address: `${fact.address}.${region}`, unit: 'percent' }),
    );
  });
}

function explanation(
  { address, value, unit, reason, inputs = {} }: Fact,
  plan: ServicePlan,
  window: string,
): Explanation {
  const bounds = Object.entries(plan.bounds ?? {}).find(([field]) => `${plan.service}.${field}` === address)?.[1];
  const shown = typeof value === 'object' ? JSON.stringify(value) : value;
  const range = bounds === undefined ? {} : { bounds };
  return { window, service: plan.service, address, value: shown, unit, reason, inputs, ...range };
}
