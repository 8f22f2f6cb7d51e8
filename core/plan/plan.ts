import type { DemandForecast } from '../spec/forecast.js';
import type { ServiceGraph } from '../spec/graph.js';
import type { MeshPlan, PlanWindow, ServicePlan } from '../spec/plan.js';
import { ok, refused } from '../spec/problem.js';
import type { Problem, Result } from '../spec/problem.js';
import type { RegionSpec } from '../spec/region.js';
import { calibrated } from './calibrated.js';
import type { CapacityCurve } from './capacity/capacityCurve.js';
import type { PeakFactor } from './capacity/peakFactor.js';
import type { PastDeployment } from './capacity/records/pastDeployment.js';
import { regionDemand } from './demand.js';
import type { RegionDemand } from './demand.js';
import { inboundOf } from './inbound.js';
import { curveOf, levelByCosts, planInstances } from './instances.js';
import type { PlannedInstances } from './instances.js';
import type { Calls } from './paths.js';
import { latencyWarnings, requestLatencies } from './requestLatency.js';
import { retryLayers } from './retries.js';
import { planRoutes } from './routes.js';
import { planService } from './servicePlan.js';
import type { ServiceContext } from './servicePlan.js';
import { shedWarnings, shortfallWarnings } from './shortfall.js';
import { requestTimeouts } from './timeouts.js';
import { asDeltas, cutWindows } from './windows.js';

export interface PlanInput {
  region: RegionSpec;
  forecast: DemandForecast;
  graph: ServiceGraph;
  /** The plan that runs now, if any: a forecast of low trust may raise what it says, never lower it. */
  previous?: MeshPlan;
  /** What past deployments showed of the services' capacity. */
  deployments?: readonly PastDeployment[];
  /** How far the busiest second is above its step, by service; see `peaksBySecond`. */
  peaks?: ReadonlyMap<string, PeakFactor>;
}

/**
 * Decides what the mesh of a region should be, window by window over the horizon, every value with its reason.
 * Refused (all problems named) when the demand is unknown or untrusted, a circle of calls never ends, an SLO cannot be
 * met by any number of instances, or a service would have nobody to answer it. Too little capacity with somebody to
 * answer sheds what is worth least, and a warning says how much.
 */
export function planMesh(input: PlanInput): Result<MeshPlan> {
  const { graph, forecast } = input;
  const { region, warnings: contradictions } = calibrated(input.region, input.deployments ?? []);
  const spans = cutWindows(region, forecast);
  const curves = new Map(region.services.map((service) => [service.name, curveOf(service, region)]));
  const levels = new Map<string, number>();
  for (const [name, curve] of curves) {
    const level = levelByCosts(region, curve);
    if (level !== undefined) levels.set(name, level);
  }
  const demand = regionDemand({ ...input, region, windows: spans, levels });
  if (!demand.ok) return demand;
  const instances = instancesOf(region, curves, demand.value);
  if (!instances.ok) return instances;
  const routes = planRoutes({ region, graph, demand: demand.value, instances: instances.value, windows: spans.length });
  const calls = callsOf(region, graph);
  const inbound = inboundOf(region);
  const known = { region, demand: demand.value, instances: instances.value, routes, calls };
  const latencies = requestLatencies({ ...known, curves, windows: spans });
  const context: ServiceContext = {
    ...{ ...known, inbound, latencies },
    timeouts: requestTimeouts(region, calls),
    retryLayers: retryLayers(region, calls, inbound),
  };
  const windows = spans.map(({ fromMs, toMs }, window): PlanWindow => ({
    from: new Date(fromMs).toISOString(),
    to: new Date(toMs).toISOString(),
    services: region.services.map((service): ServicePlan => planService(service, window, context)),
  }));
  const warnings = [
    ...contradictions,
    ...demand.value.warnings,
    ...shedWarnings(region, routes, windows),
    ...shortfallWarnings(context, windows),
    ...latencyWarnings(latencies),
  ];
  return ok({ version: 1, region: region.name, windows: asDeltas(windows), warnings });
}

function callsOf(region: RegionSpec, graph: ServiceGraph): Calls {
  const calls: Record<string, Record<string, number>> = Object.fromEntries(
    region.services.map(({ name }) => [name, {}]),
  );
  for (const { caller, callee, callsPerRequest } of graph.edges) {
    const own = calls[caller];
    if (own !== undefined) own[callee] = callsPerRequest;
  }
  return calls;
}

function instancesOf(
  region: RegionSpec,
  curves: ReadonlyMap<string, CapacityCurve>,
  demand: RegionDemand,
): Result<ReadonlyMap<string, readonly PlannedInstances[]>> {
  const problems: Problem[] = [];
  const planned = new Map<string, readonly PlannedInstances[]>();
  region.services.forEach((service, i) => {
    const [wanted, curve] = [demand.byService.get(service.name), curves.get(service.name)];
    if (wanted === undefined || curve === undefined) return;
    const found = planInstances(service, wanted, region, curve, demand.typicalRps.get(service.name) ?? []);
    const placed = found.ok ? nobodyServes(region, i, found.value) : found.problems;
    problems.push(...placed.map((problem) => ({ ...problem, field: `services[${i}].${problem.field}` })));
    if (found.ok) planned.set(service.name, found.value);
  });
  return problems.length > 0 ? refused(problems) : ok(planned);
}

function nobodyServes(region: RegionSpec, index: number, planned: readonly PlannedInstances[]): Problem[] {
  const name = region.services[index]?.name ?? '';
  const elsewhere = region.neighbours.some((neighbour) => (neighbour.spareRps[name] ?? 0) > 0);
  if (elsewhere || planned.every((window) => window.count > 0)) return [];
  const message = `${name} has no endpoint here and no neighbour can spare any capacity for it`;
  const fix = 'give it endpoints, or state spareRps of a neighbour';
  return [{ code: 'nobody-serves', field: 'endpoints', message, fix }];
}
