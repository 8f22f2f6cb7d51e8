import type { ServiceGraph } from '../spec/graph.js';
import type { CostsSpec, Criticality, NeighbourSpec, RegionSpec, ServiceSpec } from '../spec/region.js';
import { propagateDemand } from '../graph/propagate.js';
import type { RegionDemand } from './demand.js';
import type { PlannedInstances } from './instances.js';
import { admission } from './routing/admission.js';
import { failoverTargets } from './routing/failover.js';
import { integerWeights } from './routing/integerWeights.js';
import type { RoutedFlow, RoutedService, RoutedSite, RoutingProblem, RoutingSolution } from './routing/problem.js';
import { evaluateRouting, solveRouting } from './routing/solve.js';

/** Of the currency of `costs`, where a region file states none: what a request is worth, and a second of waiting. */
const DEFAULT_COSTS = { shortagePerRequest: 1, perSecondOfWait: 0.001 };
/** What is refused last is worth the most. */
const WORTH: Readonly<Record<Criticality, number>> = { critical: 10, normal: 1, sheddable: 0.1 };
/** Our own region's place in the problem. */
const OWN = 0;
/** All stays local, or the weights of the window before stay, where that costs no more than this part of what serving costs. */
const WEIGHTS_MAY_COST = 0.01;
const SOLVER = { gapTarget: 0.01, maxIterations: 40 };

export interface ServiceRoute {
  /** Whole percent by region, our own first; sums to 100. */
  percents: Readonly<Record<string, number>>;
  /** rps that are answered here. */
  localRps: number;
  /** rps of our proxies for it, once routes that are not worth their price are refused. */
  arrivingRps: number;
  /** Neighbours with room for all that may fail over to them, the nearest first, without those that have weight. */
  failover: readonly { region: string; spareRps: number }[];
  /** Why there is none. */
  failoverReason?: string;
  /** What one more request here costs all, with the calls that follow from it. */
  price: number;
  /** Of an entry. */
  admission?: RouteAdmission;
}

export interface RouteAdmission {
  /** 0–1 */
  share: number;
  value: number;
  /** Of a request with all that follows from it. */
  price: number;
  refusedRps: number;
}

export interface RoutesInput {
  region: RegionSpec;
  graph: ServiceGraph;
  demand: RegionDemand;
  /** By service, one a window. */
  instances: ReadonlyMap<string, readonly PlannedInstances[]>;
  windows: number;
}

/**
 * Where each window's requests are answered: the least time and egress cost, by marginal prices along the graph
 * (docs/routing.md), over this region and what its neighbours can spare. Time is that of the demand to be expected, and
 * no capacity is exceeded at the peak that is planned for: weights that are best for a peak send requests away that
 * would seldom have to go. Windows follow each other: each starts from the one before, and keeps its weights where they
 * are nearly as good.
 */
export function planRoutes(given: RoutesInput): readonly ReadonlyMap<string, ServiceRoute>[] {
  const input = { ...given, region: nearestFirst(given.region) };
  const fixture = fixtureOf(input);
  const all: ReadonlyMap<string, ServiceRoute>[] = [];
  let warm: RoutingSolution | undefined;
  let before: Float64Array | undefined;
  for (let window = 0; window < input.windows; window++) {
    const { problem, scale } = problemOf(input, fixture, window);
    const solution = solveRouting(problem, { ...SOLVER, ...(warm === undefined ? {} : { warm }) });
    const flow = steadyFlow(problem, solution, before);
    all.push(routesOf(input, { problem, scale, solution, flow, window }));
    warm = solution;
    before = flow.weights;
  }
  return all;
}

/** Of neighbours that are equally good the search prefers the first: the order of the file must not decide. */
function nearestFirst(region: RegionSpec): RegionSpec {
  const neighbours = [...region.neighbours].sort(
    (a, b) => a.networkLatencyMs - b.networkLatencyMs || (a.name < b.name ? -1 : 1),
  );
  return { ...region, neighbours };
}

/** What no window changes. */
interface Fixture {
  regions: readonly string[];
  calls: RoutingProblem['calls'];
  latencyMs: number[][];
  egressPerGb: number[][];
  costs: Required<Pick<CostsSpec, 'shortagePerRequest' | 'perSecondOfWait'>>;
}

function fixtureOf({ region, graph }: RoutesInput): Fixture {
  const index = new Map(region.services.map((service, i) => [service.name, i]));
  const calls = graph.edges.flatMap(({ caller, callee, callsPerRequest }) => {
    const [from, to] = [index.get(caller), index.get(callee)];
    return from === undefined || to === undefined ? [] : [{ caller: from, callee: to, callsPerRequest }];
  });
  const between = (of: (neighbour: NeighbourSpec) => number): number[][] => {
    const own = [0, ...region.neighbours.map(of)];
    // Between neighbours nothing of ours is routed; by way of us is as good a guess as any.
    return own.map((a, i) => own.map((b, j) => (i === j ? 0 : a + b)));
  };
  return {
    regions: [region.name, ...region.neighbours.map((neighbour) => neighbour.name)],
    calls,
    latencyMs: between((neighbour) => neighbour.networkLatencyMs),
    egressPerGb: between((neighbour) => neighbour.egressCostPerGb ?? 0),
    costs: { ...DEFAULT_COSTS, ...region.costs },
  };
}

interface WindowProblem {
  problem: RoutingProblem;
  /** By service: rps in the problem for one rps of the planned peak. */
  scale: readonly number[];
}

/** An entry that is expected to be idle still shows where its requests would go. */
const LEAST_SHARE = 1e-3;

/**
 * The problem's demand is what is to be expected, its capacities are shrunk by as much as that is below the planned
 * peak: shares that fit then fit at the peak as well.
 */
function problemOf(input: RoutesInput, fixture: Fixture, window: number): WindowProblem {
  const { region, graph, demand } = input;
  const peakOf = (name: string): number => demand.byService.get(name)?.rps[window] ?? 0;
  const entries = region.services.flatMap((service, index) => {
    const { name, entry } = service;
    const rps =
      entry === undefined
        ? (demand.byService.get(name)?.unexplainedRps[window] ?? 0)
        : Math.max(LEAST_SHARE * peakOf(name), demand.outsideRps.get(name)?.[window] ?? 0);
    return entry === undefined && rps <= 0 ? [] : [{ service: index, rps, valuePerRequest: worthOf(service, fixture) }];
  });
  const outside = Object.fromEntries(entries.map(({ service, rps }) => [region.services[service]?.name ?? '', rps]));
  const carried = propagateDemand(graph, outside);
  const scale = region.services.map(({ name }) => {
    const [peak, typical] = [peakOf(name), carried.ok ? (carried.value[name] ?? 0) : 0];
    return peak > 0 && typical > 0 ? typical / peak : 1;
  });
  const problem: RoutingProblem = {
    regions: fixture.regions,
    services: region.services.map((service, i) => routedService(service, input, window, scale[i] ?? 1)),
    calls: fixture.calls,
    entries: entries.map((entry) => ({ ...entry, rps: [entry.rps, ...region.neighbours.map(() => 0)] })),
    latencyMs: fixture.latencyMs,
    egressPerGb: fixture.egressPerGb,
    costPerSecond: fixture.costs.perSecondOfWait,
    fixed: region.neighbours.map((_, i) => i + 1),
  };
  return { problem, scale };
}

function worthOf(service: ServiceSpec, { costs }: Fixture): number {
  return service.entry?.valuePerRequest ?? costs.shortagePerRequest * WORTH[service.criticality ?? 'normal'];
}

function routedService(service: ServiceSpec, input: RoutesInput, window: number, scale: number): RoutedService {
  const planned = input.instances.get(service.name)?.[window];
  const { concurrency, serviceTimeMs } = service.capacity;
  const perInstance = planned?.perInstanceRps ?? 0;
  const site = (capacityRps: number): RoutedSite | null =>
    capacityRps <= 0 || perInstance <= 0
      ? null
      : { instances: Math.ceil(capacityRps / perInstance - 1e-9), concurrency, capacityRps: capacityRps * scale };
  return {
    name: service.name,
    serviceTimeMs,
    ...(service.payload ?? {}),
    sites: [
      site((planned?.count ?? 0) * perInstance),
      ...input.region.neighbours.map((neighbour) => site(neighbour.spareRps[service.name] ?? 0)),
    ],
  };
}

function steadyFlow(problem: RoutingProblem, solution: RoutingSolution, before: Float64Array | undefined): RoutedFlow {
  const best = integerWeights(problem, solution);
  const candidates = [allLocal(problem), ...(before === undefined ? [] : [before])];
  const good = candidates.map((weights) => evaluateRouting(problem, weights, best.admitted));
  // Not of the whole: beside a large loss by refusals, overload elsewhere would look like nothing.
  const most = best.objective + WEIGHTS_MAY_COST * (best.objective - best.components.shed);
  return good.find((flow) => flow.objective <= most) ?? best;
}

/** What no site can answer here goes to the nearest that can. */
function allLocal({ services, regions }: RoutingProblem): Float64Array {
  const R = regions.length;
  const weights = new Float64Array(services.length * R * R);
  for (let row = 0; row < services.length * R; row++) weights[row * R + (row % R)] = 1;
  return weights;
}

interface SolvedWindow extends WindowProblem {
  solution: RoutingSolution;
  flow: RoutedFlow;
  window: number;
}

function routesOf(input: RoutesInput, solved: SolvedWindow): ReadonlyMap<string, ServiceRoute> {
  const { problem, solution, flow } = solved;
  const admissions = new Map(
    admission(problem, { requestPrice: solution.requestPrice, admitted: flow.admitted })
      .filter(({ region }) => region === OWN)
      .map(({ entry, admit: share, value, price, refusedRps }): [number, RouteAdmission] => {
        const service = problem.entries[entry]?.service ?? 0;
        return [service, { share, value, price, refusedRps: refusedRps / (solved.scale[service] ?? 1) }];
      }),
  );
  return new Map(
    input.region.services.map((service, s) => [service.name, routeOf(service, s, admissions.get(s), solved, input)]),
  );
}

function routeOf(
  service: ServiceSpec,
  s: number,
  admission: RouteAdmission | undefined,
  { problem, scale, solution, flow, window }: SolvedWindow,
  input: RoutesInput,
): ServiceRoute {
  const R = problem.regions.length;
  const stretch = scale[s] ?? 1;
  const percents = Object.fromEntries(
    problem.regions.map((name, j) => [name, Math.round(100 * (flow.weights[s * R * R + j] ?? 0))]),
  );
  const found = failoverTargets(problem, { ...flow, sitePrice: solution.sitePrice }, s, 0);
  const targets = found.targets.map(({ region, spareRps }) => ({
    region: problem.regions[region] ?? '',
    spareRps: spareRps / stretch,
  }));
  const planned = input.instances.get(service.name)?.[window];
  // What callers elsewhere do not ask here may come back with them: all of the demand counts, up to what fits here.
  const peakRps =
    ((input.demand.byService.get(service.name)?.rps[window] ?? 0) * (percents[problem.regions[0] ?? ''] ?? 0)) / 100;
  const movesRps = Math.min(peakRps, (planned?.count ?? 0) * (planned?.perInstanceRps ?? 0));
  return {
    percents,
    localRps: (flow.load[s * R] ?? 0) / stretch,
    arrivingRps: (flow.arrivals[s * R] ?? 0) / stretch,
    failover: targets.filter(({ region, spareRps }) => (percents[region] ?? 0) === 0 && spareRps >= movesRps),
    ...(found.reason === undefined ? {} : { failoverReason: found.reason }),
    price: solution.sitePrice[s * R] ?? 0,
    ...(admission === undefined ? {} : { admission }),
  };
}
