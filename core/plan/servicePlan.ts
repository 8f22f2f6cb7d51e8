import type { Reasoned, ServicePlan } from '../spec/plan.js';
import type { NeighbourSpec, RegionSpec, ServiceSpec } from '../spec/region.js';
import type { RegionDemand } from './demand.js';
import type { InboundIndex } from './inbound.js';
import type { PlannedInstances } from './instances.js';
import { admissibleRps } from './limits.js';
import type { Calls } from './paths.js';
import type { RetryLayers } from './retries.js';
import type { RouteAdmission, ServiceRoute } from './routes.js';
import { planBounds, planSettings } from './settings.js';
import type { SettingsInput } from './settings.js';
import { OVERLOADED } from './shortfall.js';
import { spareOf } from './spare.js';
import { oneDecimal } from '../spec/oneDecimal.js';

export interface ServiceContext {
  region: RegionSpec;
  demand: RegionDemand;
  /** By service, one a window. */
  instances: ReadonlyMap<string, readonly PlannedInstances[]>;
  /** One a window, by service. */
  routes: readonly ReadonlyMap<string, ServiceRoute>[];
  calls: Calls;
  inbound: InboundIndex;
  timeouts: Readonly<Record<string, number>>;
  retryLayers: RetryLayers;
  /** Of entries: the p99 of whole requests. */
  latencies: ReadonlyMap<string, Reasoned<number>>;
}

/** Everything that a window says of one service. */
export function planService(service: ServiceSpec, window: number, context: ServiceContext): ServicePlan {
  const { region, demand, calls } = context;
  const { name } = service;
  const wanted = demand.byService.get(name);
  const planned = context.instances.get(name)?.[window];
  const route = context.routes[window]?.get(name);
  if (wanted === undefined || planned === undefined || route === undefined)
    throw new RangeError(`${name} is not planned`);
  const demandRps = wanted.rps[window] ?? 0;
  const input = settingsInput(service, window, context, { demandRps, planned, route });
  const settings = planSettings(input);
  const requestP99Ms = context.latencies.get(name);
  const standby = route.failover.map(({ region: to, spareRps }) => ({ region: to, spareRps: oneDecimal(spareRps) }));
  return {
    service: name,
    demand: { quantile: wanted.quantile, rps: demandRps, trust: wanted.trust, level: wanted.level },
    arrivingRps: oneDecimal(Math.min(demandRps, route.arrivingRps)),
    instances: { value: planned.count, reason: planned.reason, inputs: planned.inputs },
    endpoints: service.endpoints.slice(0, planned.count),
    perInstanceRps: planned.perInstanceRps,
    calls: calls[name] ?? {},
    weights: weightsOf(region, service, route, planned, demandRps),
    failover: standby,
    price: {
      value: Number(route.price.toPrecision(3)),
      reason: 'what one more request here costs everybody, with the calls that follow from it',
    },
    ...(route.admission === undefined || service.entry === undefined
      ? {}
      : { admission: admissionOf(route.admission) }),
    ...(requestP99Ms === undefined ? {} : { requestP99Ms }),
    settings,
    bounds: planBounds(input, settings),
  };
}

function settingsInput(
  service: ServiceSpec,
  window: number,
  context: ServiceContext,
  { demandRps, planned, route }: { demandRps: number; planned: PlannedInstances; route: ServiceRoute },
): SettingsInput {
  const { region, calls, timeouts, inbound } = context;
  const served = admissibleRps({
    own: region.name,
    weights: route.percents,
    plannedInstances: planned.count,
    readyInstances: planned.count,
    perInstanceRps: planned.perInstanceRps,
    spareRps: spareOf(region, service.name),
  });
  return {
    ...{ region, service, demandRps, timeouts, inbound, retryLayers: context.retryLayers },
    // A limit below what is expected would turn customers away on purpose; the shortfall is a warning instead.
    admissibleRps: Math.max(served, Math.min(demandRps, route.arrivingRps)),
    instances: planned.count,
    perInstanceRps: planned.perInstanceRps,
    weights: route.percents,
    standby: route.failover.map(({ region: to }) => to),
    calls: calls[service.name] ?? {},
    ...(route.admission === undefined || service.entry === undefined ? {} : { admission: shareOf(route.admission) }),
    ...(window === 0 ? {} : { previousInstances: context.instances.get(service.name)?.[window - 1]?.count ?? 0 }),
  };
}

function weightsOf(
  region: RegionSpec,
  service: ServiceSpec,
  route: ServiceRoute,
  planned: PlannedInstances,
  demandRps: number,
): Record<string, Reasoned<number>> {
  const localRps = planned.count * planned.perInstanceRps;
  const inputs = { demandRps: oneDecimal(demandRps), localRps: oneDecimal(localRps) };
  const own = route.percents[region.name] ?? 0;
  const weights: Record<string, Reasoned<number>> = {
    [region.name]: { value: own, reason: ownReason(own, route, localRps), inputs },
  };
  for (const neighbour of region.neighbours) {
    const spareRps = neighbour.spareRps[service.name] ?? 0;
    weights[neighbour.name] = {
      value: route.percents[neighbour.name] ?? 0,
      reason: neighbourReason(neighbour, route, spareRps),
      inputs: { ...inputs, spareRps, networkLatencyMs: neighbour.networkLatencyMs },
    };
  }
  return weights;
}

function ownReason(percent: number, route: ServiceRoute, capacityRps: number): string {
  const isOver = route.localRps > capacityRps * (1 + OVERLOADED);
  if (percent === 100)
    return isOver ? 'no other region has room for what exceeds the capacity' : 'local capacity suffices';
  if (percent === 0) return 'nothing is answered here';
  return `${oneDecimal(route.localRps)} rps are answered here; one more anywhere else would cost less`;
}

function neighbourReason(neighbour: NeighbourSpec, route: ServiceRoute, spareRps: number): string {
  const way = `${neighbour.networkLatencyMs} ms away`;
  if ((route.percents[neighbour.name] ?? 0) > 0) {
    return `takes what would wait longer here than the way there takes: ${oneDecimal(spareRps)} rps to spare, ${way}`;
  }
  if (route.failover.some(({ region }) => region === neighbour.name)) return 'stands by for when local endpoints fail';
  if (spareRps <= 0) return 'has nothing to spare for this service';
  return `does not stand by: ${route.failoverReason ?? `${oneDecimal(spareRps)} rps to spare are less than what would move`}`;
}

function admissionOf(admission: RouteAdmission): Reasoned<number> {
  const { value, price, refusedRps } = admission;
  const share = shareOf(admission);
  const worth = `a request is worth ${short(value)} and costs ${short(price)} with all that follows from it`;
  const reason =
    share === 1 ? `${worth}: all are let in` : `${worth}: ${oneDecimal(refusedRps)} rps are refused at the edge`;
  return { value: share, reason, inputs: { valuePerRequest: value, price: Number(price.toPrecision(3)) } };
}

/** Rounded down, so that what is let in stays within what can be served; a hair below all is all. */
function shareOf({ share }: RouteAdmission): number {
  return share > 0.999 ? 1 : Math.floor(share * 1000) / 1000;
}

function short(amount: number): string {
  return amount === 0 ? '0' : String(Number(amount.toPrecision(3)));
}
