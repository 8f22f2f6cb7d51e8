import type { LiveIntent } from '../spec/live.js';
import type { ServicePlan } from '../spec/plan.js';
import type { RegionSpec, ServiceSpec } from '../spec/region.js';
import { isBehindInbound } from './inbound.js';
import type { InboundIndex } from './inbound.js';
import { admissibleRps, letIn, limitsFor } from './limits.js';
import type { LetIn, ProxyLimits } from './limits.js';
import { spareOf } from './spare.js';
import { networkMs } from './timeouts.js';
import { oneDecimal } from '../spec/oneDecimal.js';

export interface LiveCapacity {
  /** Nothing differs from what the plan reckoned with. */
  asPlanned: boolean;
  /** rps over all proxies that can be served, without the margin. */
  admissibleRps: number;
  /** What of that is let in: all, unless the plan sheds. */
  letIn: LetIn;
  limits: ProxyLimits;
  proxies: number;
  p99Ms: number;
  networkMs: number;
  behindInbound: boolean;
  reason: string;
}

export interface LiveCapacityInput {
  region: RegionSpec;
  spec: ServiceSpec;
  planned: ServicePlan;
  intent: Pick<LiveIntent, 'readyInstances'>;
  inbound: InboundIndex;
  /** Local endpoints among which requests are shared; absent: those planned, and what is ready beyond them. */
  endpoints?: number;
}

/** Local instances that are ready, those beyond the plan as well; as planned where nobody has counted. */
export function readyOf(spec: ServiceSpec, planned: ServicePlan, intent: LiveCapacityInput['intent']): number {
  return Math.min(intent.readyInstances?.[spec.name] ?? planned.instances.value, spec.endpoints.length);
}

/**
 * Local endpoints that requests are shared among: those planned, and what an autoscaler started beyond them, since a
 * forecast that is too low leaves nothing idle. Where the window wants more than the one before, those that are added
 * join as they come up: proxies share by how many of the endpoints are healthy, and would send requests away for the
 * sake of instances that are only starting.
 */
export function endpointsInUse(
  spec: ServiceSpec,
  planned: ServicePlan,
  intent: LiveCapacityInput['intent'],
  plannedBefore?: number,
): number {
  const wanted = planned.instances.value;
  const settled = intent.readyInstances?.[spec.name] === undefined ? wanted : Math.min(wanted, plannedBefore ?? wanted);
  return Math.max(settled, readyOf(spec, planned, intent));
}

/** What a neighbour can spare counts only where requests can go: it has weight, or it stands by. */
function spareInUse(
  region: RegionSpec,
  { service, failover }: ServicePlan,
  weights: Readonly<Record<string, number>>,
): Record<string, number> {
  const spare = spareOf(region, service);
  if (failover === undefined) return spare;
  const standby = new Set(failover.map((one) => one.region));
  const used = Object.entries(spare).filter(([name]) => (weights[name] ?? 0) > 0 || standby.has(name));
  return Object.fromEntries(used);
}

/**
 * What can be served under the weights that run, with the instances that are ready. The forecast has no part in it but
 * this: with all that was planned ready, and no less than was expected to be served.
 */
export function liveCapacity(input: LiveCapacityInput, weights: Readonly<Record<string, number>>): LiveCapacity {
  const { region, spec, planned } = input;
  const plannedInstances = planned.instances.value;
  const ready = readyOf(spec, planned, input.intent);
  const served = admissibleRps({
    own: region.name,
    weights,
    plannedInstances: input.endpoints ?? Math.max(plannedInstances, ready),
    readyInstances: ready,
    perInstanceRps: planned.perInstanceRps,
    spareRps: spareInUse(region, planned, weights),
  });
  const samePlace = Object.entries(planned.weights).every(([name, weight]) => weights[name] === weight.value);
  // With all that was planned ready, a limit below what is expected would turn customers away on purpose.
  const admissible =
    samePlace && ready >= plannedInstances ? Math.max(served, planned.arrivingRps ?? planned.demand.rps) : served;
  const admission = planned.admission?.value;
  const admitted = letIn({ service: spec, admissibleRps: admissible, demandRps: planned.demand.rps, admission });
  const proxies = region.delivery.hosts.length;
  const rttMs = networkMs(weights, region.neighbours);
  const behindInbound = isBehindInbound(spec, input.inbound);
  const limits = limitsFor({
    ...{ admissibleRps: admissible, letIn: admitted, proxies, service: spec, instances: ready, behindInbound },
    networkMs: rttMs,
  });
  return {
    asPlanned: samePlace && ready === plannedInstances,
    admissibleRps: oneDecimal(admissible),
    letIn: admitted,
    limits,
    proxies,
    p99Ms: spec.slo.p99Ms,
    networkMs: oneDecimal(rttMs),
    behindInbound,
    reason: `${ready} of ${plannedInstances} planned instances ready, ${weights[region.name] ?? 0} % of requests here`,
  };
}
