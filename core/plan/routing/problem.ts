/**
 * Who may call whom across regions, what that costs, and what each site can take. Regions, services and entries are
 * named by their place in the lists.
 */
export interface RoutingProblem {
  regions: readonly string[];
  services: readonly RoutedService[];
  /** The gain around any circle of calls is below 1: otherwise no load is finite. */
  calls: readonly RoutedCall[];
  entries: readonly RoutedEntry[];
  /** One way, in milliseconds; [from][to]. A call pays the way there and the way back. */
  latencyMs: readonly (readonly number[])[];
  /** Currency a gigabyte (10⁹ bytes); [from][to]. A call pays its request there and its response back. */
  egressPerGb: readonly (readonly number[])[];
  /** What one second that one request takes is worth, in the same currency. */
  costPerSecond: number;
  /** Regions whose weights and admission are not ours: there all stays local, or goes to the nearest site. */
  fixed?: readonly number[];
}

export interface RoutedService {
  name: string;
  serviceTimeMs: number;
  requestBytes?: number;
  responseBytes?: number;
  /** By region; null, or a capacity of 0: nothing is there. */
  sites: readonly (RoutedSite | null)[];
}

export interface RoutedSite {
  instances: number;
  /** Requests that one instance works on at a time. */
  concurrency: number;
  /** Requests per second that the instances together take within the SLO. */
  capacityRps: number;
}

export interface RoutedCall {
  caller: number;
  callee: number;
  callsPerRequest: number;
}

/** One route by which users enter. */
export interface RoutedEntry {
  service: number;
  /** Requests per second from outside, by region. */
  rps: readonly number[];
  /** What a refused request loses. */
  valuePerRequest: number;
}

/** Currency per second. */
export interface CostComponents {
  /** Time in queues and in service; includes what load beyond the capacity costs. */
  latency: number;
  /** Time between regions. */
  network: number;
  egress: number;
  /** Value of the refused requests. */
  shed: number;
}

/**
 * Flat arrays, R regions: `weights[(s·R + i)·R + j]` is the share of the requests of region i's proxies for service s
 * that goes to region j (a row sums to 1; all zero where the service is nowhere); `arrivals[s·R + i]` requests per
 * second from region i's proxies; `load[s·R + j]` requests per second at the site; `admitted[e·R + i]` the share of an
 * entry's requests that is let in.
 */
export interface RoutedFlow {
  weights: Float64Array;
  arrivals: Float64Array;
  load: Float64Array;
  admitted: Float64Array;
  objective: number;
  components: CostComponents;
}

/** Shadow prices, currency a request: of the lower bound, so they hold where capacities bind. */
export interface RoutingSolution extends RoutedFlow {
  /** λ[s·R + j]: what one more request at the site costs all, with the calls below it. */
  sitePrice: Float64Array;
  /** δ[s·R + i]: what one more request of region i's proxies costs all, the way included. */
  requestPrice: Float64Array;
  /** [s·R + j]: what one more rps of capacity at the site would save; 0 where there is room. */
  capacityPrice: Float64Array;
  /** No solution costs less than this. */
  lowerBound: number;
  /** (objective − lowerBound) ÷ objective: the proven distance from the optimum. */
  gap: number;
  iterations: number;
}
