import type { RoutedFlow, RoutingProblem, RoutingSolution } from './problem.js';
import { compileNetwork } from './network.js';
import type { Network } from './network.js';
import { emptyFlow, propagate, propagateGroup, routedFlow, startArrivals } from './flow.js';
import type { Flow } from './flow.js';
import { emptyPrices, priceFlow } from './prices.js';
import { solveRouting } from './solve.js';
import { evaluateCurve } from './queueCurve.js';

export interface IntegerWeights extends RoutedFlow {
  /** `percents[(s·R + i)·R + j]`; a row sums to 100, or to 0 where the service is nowhere. */
  percents: Uint8Array;
  /** What rounding costs, as a fraction of the solution's objective; below 0 where it happens to help. */
  loss: number;
}

/** From this share on a row is all local: the mesh then uses priorities and failover instead of weights. */
const ALL_LOCAL = 0.995;
const CRUMB = 0.01;
/** Crumbs are dropped where that costs at most this. */
const CRUMBS_MAY_COST = 0.001;
/** Rounding that costs no more than this is not improved. */
const GOOD = 0.0005;

/**
 * Whole percents by the largest remainder, callers before callees, and then percents moved one by one from a service's
 * dearest used site to its cheapest while that lowers the cost: rounding alone would push full sites over their edge.
 * Where even that costs too much, it starts over from a solution that leaves the sites a little room.
 */
export function integerWeights(problem: RoutingProblem, solution: RoutingSolution): IntegerWeights {
  const network = compileNetwork(problem);
  const lossOf = (rounded: RoutedFlow): number => rounded.objective / solution.objective - 1;
  let best = roundFlow(network, solution, CRUMB);
  const offer = (other: Rounded): void => {
    if (other.objective < best.objective) best = other;
  };
  if (lossOf(best) > CRUMBS_MAY_COST) offer(roundFlow(network, solution, 0));
  let warm = solution;
  for (const room of ROOM) {
    if (!(lossOf(best) > ROOM_FROM)) break;
    warm = solveRouting(withRoom(problem, room), { warm, maxIterations: ROOM_ITERATIONS });
    offer(roundFlow(network, warm, CRUMB));
    offer(roundFlow(network, warm, 0));
  }
  return { ...best, loss: lossOf(best) };
}

/** Where rounding costs more than this, sites are full and one percent too much for them: it is solved with room. */
const ROOM_FROM = 0.005;
/** Of the capacities, in turn. */
const ROOM = [0.99, 0.97, 0.94];
const ROOM_ITERATIONS = 60;

function withRoom(problem: RoutingProblem, factor: number): RoutingProblem {
  const services = problem.services.map((service) => ({
    ...service,
    sites: service.sites.map((site) => site && { ...site, capacityRps: factor * site.capacityRps }),
  }));
  return { ...problem, services };
}

type Rounded = RoutedFlow & { percents: Uint8Array };

/** Sweeps over the graph; the later ones know what the rounding of the one before has overloaded. */
const SWEEPS = 4;

function roundFlow(network: Network, solution: RoutingSolution, crumb: number): Rounded {
  const { R, S, entryRps } = network;
  const percents = new Uint8Array(S * R * R);
  for (let s = 0; s < S; s++) roundService(network, solution.weights, percents, s, crumb);
  const prices = emptyPrices(network);
  let { requestPrice } = solution;
  let best: Rounded | undefined;
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const flow = emptyFlow(network);
    for (let k = 0; k < entryRps.length; k++) flow.admittedRps[k] = entryRps[k]! * solution.admitted[k]!;
    sweepGraph(network, solution, requestPrice, percents, flow);
    const rounded = routedFlow(network, flow);
    if (best === undefined || rounded.objective < best.objective) best = { ...rounded, percents: percents.slice() };
    if (best.objective < (1 + GOOD) * solution.objective) break;
    priceFlow(network, flow, prices);
    requestPrice = prices.requestPrice.map((price, row) => (price + solution.requestPrice[row]!) / 2);
  }
  return best as Rounded;
}

function sweepGraph(
  network: Network,
  solution: RoutingSolution,
  requestPrice: Float64Array,
  percents: Uint8Array,
  flow: Flow,
): void {
  const { R, order } = network;
  startArrivals(network, flow);
  for (let g = 0; g < order.cyclic.length; g++) {
    for (let k = order.groupStart[g]!; k < order.groupStart[g + 1]!; k++) {
      const s = order.members[k]!;
      settleService(
        { network, exact: solution.weights, requestPrice, percents },
        s,
        order.cyclic[g] ? solution.arrivals : flow.arrivals,
      );
      for (let arc = s * R * R; arc < (s + 1) * R * R; arc++) flow.weights[arc] = percents[arc]! / 100;
    }
    propagateGroup(network, flow, g);
  }
  propagate(network, flow);
}

function roundService(network: Network, weights: Float64Array, percents: Uint8Array, s: number, crumb: number): void {
  const { R, nearest } = network;
  for (let i = 0; i < R; i++) {
    const row = s * R + i;
    if (nearest[row]! < 0) continue;
    if (weights[row * R + i]! >= ALL_LOCAL) {
      percents[row * R + i] = 100;
      continue;
    }
    const shares = weights.slice(row * R, row * R + R).map((share) => (share < crumb ? 0 : share));
    percents.set(largestRemainder(shares), row * R);
  }
}

/** Whole percents in the proportions of `shares`, summing to 100; equal remainders to the first. */
export function largestRemainder(shares: Float64Array): Uint8Array {
  const total = shares.reduce((sum, share) => sum + share, 0);
  const exact = shares.map((share) => (100 * share) / total);
  const whole = Uint8Array.from(exact, (value) => Math.floor(value + 1e-9));
  const left = 100 - whole.reduce((sum, value) => sum + value, 0);
  const byRemainder = [...exact.keys()].sort((a, b) => exact[b]! - whole[b]! - (exact[a]! - whole[a]!));
  for (const j of byRemainder.slice(0, left)) whole[j]!++;
  return whole;
}

/** Moves of one percent that a row may make a round, and rounds over the rows. */
const [MOST_MOVES, ROUNDS] = [100, 3];

interface Settle {
  network: Network;
  exact: Float64Array;
  requestPrice: Float64Array;
  percents: Uint8Array;
}

function settleService({ network, exact, requestPrice, percents }: Settle, s: number, arrivals: Float64Array): void {
  const { R, fixedRegion } = network;
  const load = new Float64Array(R);
  for (let row = s * R; row < (s + 1) * R; row++) {
    for (let j = 0; j < R; j++) load[j]! += (arrivals[row]! * percents[row * R + j]!) / 100;
  }
  const below = pricesBelow(network, requestPrice, s);
  for (let round = 0; round < ROUNDS; round++) {
    for (let row = s * R; row < (s + 1) * R; row++) {
      if (fixedRegion[row]! >= 0 || arrivals[row]! <= 0 || settled(network, percents, load, row)) continue;
      for (let move = 0; move < MOST_MOVES; move++) {
        if (!movePercent({ network, exact, percents, load, below, row, rps: arrivals[row]! / 100 })) break;
      }
    }
  }
}

/** A row that is all on one site with room stays as it is. */
function settled({ R, curves }: Network, percents: Uint8Array, load: Float64Array, row: number): boolean {
  const only = percents.subarray(row * R, row * R + R).indexOf(100);
  return only >= 0 && load[only]! <= curves[Math.floor(row / R) * R + only]!.capacityRps;
}

/** What the calls of one request at each site cost. */
function pricesBelow({ R, rows }: Network, requestPrice: Float64Array, s: number): Float64Array {
  const below = new Float64Array(R);
  for (let c = rows.start[s]!; c < rows.start[s + 1]!; c++) {
    for (let j = 0; j < R; j++) below[j]! += rows.calls[c]! * requestPrice[rows.index[c]! * R + j]!;
  }
  return below;
}

interface Move {
  network: Network;
  /** The shares before rounding. */
  exact: Float64Array;
  percents: Uint8Array;
  load: Float64Array;
  below: Float64Array;
  row: number;
  /** Of one percent. */
  rps: number;
}

/** Percents that a share may drift from its exact value; only a site beyond its capacity may lose more. */
const DRIFT = 1;

function movePercent({ network, exact, percents, load, below, row, rps }: Move): boolean {
  const { R, curves, siteStart, siteRegion } = network;
  const s = Math.floor(row / R);
  const [first, last] = [siteStart[s]!, siteStart[s + 1]!];
  const drift = (j: number): number => percents[row * R + j]! - 100 * exact[row * R + j]!;
  const full = (j: number): boolean => load[j]! > curves[s * R + j]!.capacityRps;
  const costOf = (j: number, change: number): number =>
    change * (network.arcCost[row * R + j]! + below[j]!) + siteCost(network, s, j, load[j]! + change);
  let [from, saved] = [-1, -Infinity];
  for (let k = first; k < last; k++) {
    const j = siteRegion[k]!;
    if (percents[row * R + j] === 0 || (drift(j) <= -DRIFT && !full(j))) continue;
    const saves = costOf(j, 0) - costOf(j, -rps);
    if (saves > saved) [from, saved] = [j, saves];
  }
  let [to, added] = [-1, Infinity];
  for (let k = first; k < last && from >= 0; k++) {
    const j = siteRegion[k]!;
    if (j === from || (drift(j) >= DRIFT && !full(from))) continue;
    const adds = costOf(j, rps) - costOf(j, 0);
    if (adds < added) [to, added] = [j, adds];
  }
  if (to < 0 || !(added < saved * (1 - 1e-9))) return false;
  percents[row * R + from]!--;
  percents[row * R + to]!++;
  load[from]! -= rps;
  load[to]! += rps;
  return true;
}

function siteCost({ R, curves }: Network, s: number, j: number, load: number): number {
  const out = new Float64Array(3);
  evaluateCurve(curves[s * R + j]!, Math.max(0, load), out);
  return out[0]!;
}
