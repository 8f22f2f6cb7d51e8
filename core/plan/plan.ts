import type { DemandForecast } from '../spec/forecast.js';
import type { ServiceGraph } from '../spec/graph.js';
import type { MeshPlan, PlanWindow, Reasoned, ServicePlan } from '../spec/plan.js';
import { ok, refused } from '../spec/problem.js';
import type { Problem, Result } from '../spec/problem.js';
import type { RegionSpec, ServiceSpec } from '../spec/region.js';
import { instancesFor, perInstanceRps } from './capacity.js';
import type { InstanceCount, PerInstance } from './capacity.js';
import { regionDemand } from './demand.js';
import type { RegionDemand } from './demand.js';
import { admissibleRps } from './limits.js';
import { depths } from './paths.js';
import type { Calls } from './paths.js';
import { planBounds, planSettings, requestTimeouts } from './settings.js';
import { neighboursFor, spillOver, wholePercents } from './weights.js';
import { asDeltas, cutWindows } from './windows.js';

export interface PlanInput {
  region: RegionSpec;
  forecast: DemandForecast;
  graph: ServiceGraph;
  /** The plan that runs now, if any: a forecast of low trust may raise what it says, never lower it. */
  previous?: MeshPlan;
}

/**
 * Decides what the mesh of a region should be, window by window over the horizon, every value with its reason.
 * Refused (all problems named) when the demand is unknown or untrusted, the graph has a circle, an SLO cannot be met
 * by any number of instances, or a service would have nobody to answer it. Too little capacity with somebody to
 * answer is a warning that names the shortfall.
 */
export function planMesh(input: PlanInput): Result<MeshPlan> {
  const { region, graph, forecast } = input;
  const spans = cutWindows(region, forecast);
  const demand = regionDemand({ ...input, windows: spans });
  if (!demand.ok) return demand;
  const calls = callsOf(region, graph);
  const context: Context = {
    region,
    demand: demand.value,
    calls,
    timeouts: requestTimeouts(region, calls),
    layers: Math.max(1, ...Object.values(depths(calls))),
    warnings: [...demand.value.warnings],
  };
  const problems: Problem[] = [];
  const windows = spans.map((span, index): PlanWindow => {
    const services: ServicePlan[] = [];
    region.services.forEach((service, i) => {
      const planned = planService(service, index, context);
      if (planned.ok) services.push(planned.value);
      else if (index === 0)
        problems.push(...planned.problems.map((p) => ({ ...p, field: `services[${i}].${p.field}` })));
    });
    return { from: new Date(span.fromMs).toISOString(), to: new Date(span.toMs).toISOString(), services };
  });
  if (problems.length > 0) return refused(problems);
  return ok({ version: 1, region: region.name, windows: asDeltas(windows), warnings: context.warnings });
}

interface Context {
  region: RegionSpec;
  demand: RegionDemand;
  calls: Calls;
  timeouts: Readonly<Record<string, number>>;
  layers: number;
  warnings: string[];
}

function callsOf(region: RegionSpec, graph: ServiceGraph): Calls {
  const from = (name: string): [string, number][] =>
    graph.edges.filter((edge) => edge.caller === name).map((edge) => [edge.callee, edge.callsPerRequest]);
  return Object.fromEntries(region.services.map(({ name }) => [name, Object.fromEntries(from(name))]));
}

function planService(service: ServiceSpec, window: number, context: Context): Result<ServicePlan> {
  const { region, demand, calls, timeouts, layers } = context;
  const { name, capacity, slo } = service;
  const found = demand.byService.get(name);
  const wanted = {
    rps: found?.rps[window] ?? 0,
    trust: found?.trust ?? 'high',
    source: found?.source ?? 'no calls by the graph',
    quantile: found?.quantile ?? region.forecast.demandQuantile,
  };
  const perInstance = perInstanceRps({ ...capacity, sloP99Ms: slo.p99Ms });
  if (perInstance.rps <= 0) return refused([sloProblem(service)]);
  const { minInstances } = service;
  const maxInstances = service.endpoints.length;
  const instances = instancesFor({ demandRps: wanted.rps, perInstance, minInstances, maxInstances });
  const weights = planWeights(service, { demandRps: wanted.rps, instances, perInstance }, context);
  if (!weights.ok) return weights;
  const percents = Object.fromEntries(Object.entries(weights.value).map(([key, weight]) => [key, weight.value]));
  const served = admissibleRps({
    own: region.name,
    weights: percents,
    plannedInstances: instances.count,
    readyInstances: instances.count,
    perInstanceRps: perInstance.rps,
    spareRps: spareOf(region, name),
  });
  const settingsInput = {
    region,
    service,
    demandRps: wanted.rps,
    // A limit below what is expected would turn customers away on purpose; the shortfall is a warning instead.
    admissibleRps: Math.max(served, wanted.rps),
    instances: instances.count,
    perInstanceRps: perInstance.rps,
    weights: percents,
    timeouts,
    calls: calls[name] ?? {},
    layers,
  };
  const settings = planSettings(settingsInput);
  return ok({
    service: name,
    demand: { quantile: wanted.quantile, rps: wanted.rps, trust: wanted.trust },
    instances: {
      value: instances.count,
      reason: `${round(wanted.rps)} rps (${wanted.source}): ${instanceReason(service, instances, perInstance)}`,
      inputs: {
        demandRps: round(wanted.rps),
        perInstanceRps: round(perInstance.rps),
        binding: instances.binding,
        perInstanceBinding: perInstance.binding,
        minInstances,
        maxInstances,
      },
    },
    endpoints: service.endpoints.slice(0, instances.count),
    perInstanceRps: perInstance.rps,
    calls: calls[name] ?? {},
    weights: weights.value,
    settings,
    bounds: planBounds(settingsInput, settings),
  });
}

/** rps that each neighbour can take of a service. */
export function spareOf(region: RegionSpec, service: string): Record<string, number> {
  return Object.fromEntries(region.neighbours.map((neighbour) => [neighbour.name, neighbour.spareRps[service] ?? 0]));
}

function planWeights(
  service: ServiceSpec,
  capacity: { demandRps: number; instances: InstanceCount; perInstance: PerInstance },
  context: Context,
): Result<Record<string, Reasoned<number>>> {
  const { region, warnings } = context;
  const nearest = neighboursFor(service.name, region.neighbours);
  const { demandRps, instances } = capacity;
  const localRps = instances.count * capacity.perInstance.rps;
  const spill = spillOver(service.name, instances.shortfallRps, nearest);
  if (instances.count === 0 && nearest.length === 0) {
    return refused([
      {
        code: 'nobody-serves',
        field: 'endpoints',
        message: `${service.name} has no endpoint here and no neighbour can spare any capacity for it`,
        fix: 'give it endpoints, or state spareRps of a neighbour',
      },
    ]);
  }
  if (spill.leftRps > 0.05) {
    warnings.push(
      `${service.name}: ${round(spill.leftRps)} rps of ${round(demandRps)} rps exceed what ${instances.count} instances (${round(localRps)} rps) and the neighbours can serve`,
    );
  }
  // What nobody has room for stays here, where the limits see it, and does not fall upon a neighbour.
  const local = Math.min(localRps, demandRps) + spill.leftRps;
  const others = region.neighbours.map((neighbour) => neighbour.name);
  const shares = { [region.name]: local, ...Object.fromEntries(others.map((name) => [name, spill.rps[name] ?? 0])) };
  const percents = instances.shortfallRps > 0 ? wholePercents(shares) : { ...zeros(others), [region.name]: 100 };
  const inputs = { demandRps: round(demandRps), localRps: round(localRps) };
  const weights: Record<string, Reasoned<number>> = {};
  weights[region.name] = {
    value: percents[region.name] ?? 0,
    reason: instances.shortfallRps > 0 ? 'all that the local endpoints can take' : 'local capacity suffices',
    inputs,
  };
  for (const neighbour of region.neighbours) {
    const value = percents[neighbour.name] ?? 0;
    const spareRps = neighbour.spareRps[service.name] ?? 0;
    weights[neighbour.name] = {
      value,
      reason: weightReason(value, spareRps, neighbour.networkLatencyMs),
      inputs: { ...inputs, spareRps, networkLatencyMs: neighbour.networkLatencyMs },
    };
  }
  return ok(weights);
}

function weightReason(value: number, spareRps: number, latencyMs: number): string {
  if (value > 0) return `takes what exceeds local capacity: ${spareRps} rps to spare, ${latencyMs} ms away`;
  return spareRps > 0 ? 'stands by for when local endpoints fail' : 'has nothing to spare for this service';
}

function zeros(names: readonly string[]): Record<string, number> {
  return Object.fromEntries(names.map((name) => [name, 0]));
}

function instanceReason(service: ServiceSpec, instances: InstanceCount, perInstance: PerInstance): string {
  const each = `${round(perInstance.rps)} rps an instance`;
  switch (instances.binding) {
    case 'slo':
      return `${each} keep the p99 SLO of ${service.slo.p99Ms} ms`;
    case 'utilisation':
      return `${each} keep it below 80 % busy`;
    case 'minInstances':
      return `${each}; fewer would do, but ${instances.count} is the stated minimum`;
    case 'endpoints':
      return `${each}; all ${instances.count} endpoints are used and ${round(instances.shortfallRps)} rps are left`;
  }
}

function sloProblem(service: ServiceSpec): Problem {
  const { slo, capacity } = service;
  return {
    code: 'slo-below-service-time',
    field: 'slo.p99Ms',
    message: `${slo.p99Ms} ms is not above the mean service time of ${capacity.serviceTimeMs} ms: no number of instances meets it`,
    expected: `more than ${capacity.serviceTimeMs}`,
    fix: 'raise slo.p99Ms or correct capacity.serviceTimeMs',
  };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
