import type { RoutingProblem } from './problem.js';
import { callOrder, callRows } from './callOrder.js';
import type { CallOrder, CallRows } from './callOrder.js';
import { queueCurve } from './queueCurve.js';
import type { QueueCurve } from './queueCurve.js';
import type { SoftCapacity } from './softCapacity.js';

/** A problem laid out for the passes over it. Index of a site or row: s·R + region; of an arc: (s·R + i)·R + j. */
export interface Network {
  problem: RoutingProblem;
  S: number;
  R: number;
  rows: CallRows;
  order: CallOrder;
  /** By site; null where nothing is. */
  curves: readonly (QueueCurve | null)[];
  /** Regions where a service is: `siteRegion[siteStart[s] … siteStart[s+1])`. */
  siteStart: Int32Array;
  siteRegion: Int32Array;
  /** Currency a request, by arc: time between regions and egress. */
  arcCost: Float64Array;
  /** Of arcCost, egress without the factor. */
  egressCost: Float64Array;
  /** i·R + j, there and back. */
  rttMs: Float64Array;
  /** By row: the region it uses where its weights are not ours; −1: ours. */
  fixedRegion: Int32Array;
  /** By row: the own region where the service is, else the cheapest way. −1: nowhere. */
  nearest: Int32Array;
  /** What a request to a service that is nowhere is charged, by service. */
  missingPrice: Float64Array;
  /** By entry and region, e·R + i. */
  entryRps: Float64Array;
  entryFixed: Uint8Array;
  /** Present while capacities are kept by prices that move and not by walls. */
  soft?: SoftCapacity;
}

/** `egressFactor`: how much more than its price egress counts while a cap on it is kept. */
export function compileNetwork(problem: RoutingProblem, egressFactor = 1): Network {
  const S = problem.services.length;
  const R = problem.regions.length;
  const rows = callRows(S, problem.calls);
  const order = callOrder(S, rows);
  const overload = overloadPrices(problem, rows, order);
  const curves = problem.services.flatMap((service, s) =>
    Array.from({ length: R }, (_, j) => {
      const site = service.sites[j] ?? null;
      if (site === null || !(site.capacityRps > 0) || !(site.instances > 0)) return null;
      const { serviceTimeMs } = service;
      return queueCurve({ ...site, serviceTimeMs, costPerSecond: problem.costPerSecond, overloadPrice: overload[s]! });
    }),
  );
  const siteStart = new Int32Array(S + 1);
  const siteRegion: number[] = [];
  for (let s = 0; s < S; s++) {
    for (let j = 0; j < R; j++) if (curves[s * R + j] !== null) siteRegion.push(j);
    siteStart[s + 1] = siteRegion.length;
  }
  const fixed = new Set(problem.fixed ?? []);
  const network: Network = {
    problem,
    S,
    R,
    rows,
    order,
    curves,
    siteStart,
    siteRegion: Int32Array.from(siteRegion),
    ...arcCosts(problem, egressFactor),
    fixedRegion: new Int32Array(S * R).fill(-1),
    nearest: new Int32Array(S * R).fill(-1),
    missingPrice: overload,
    entryRps: Float64Array.from(problem.entries.flatMap(({ rps }) => problem.regions.map((_, i) => rps[i] ?? 0))),
    entryFixed: Uint8Array.from(problem.entries.flatMap(() => problem.regions.map((_, i) => (fixed.has(i) ? 1 : 0)))),
  };
  findNearest(network, fixed);
  return network;
}

function arcCosts(problem: RoutingProblem, egressFactor: number): Pick<Network, 'arcCost' | 'egressCost' | 'rttMs'> {
  const R = problem.regions.length;
  const arcCost = new Float64Array(problem.services.length * R * R);
  const egressCost = new Float64Array(arcCost.length);
  const rttMs = Float64Array.from({ length: R * R }, (_, k) => roundTripMs(problem, Math.floor(k / R), k % R));
  problem.services.forEach(({ requestBytes = 0, responseBytes = 0 }, s) => {
    for (let i = 0; i < R; i++) {
      for (let j = 0; j < R; j++) {
        const arc = (s * R + i) * R + j;
        egressCost[arc] =
          (requestBytes * at(problem.egressPerGb, i, j) + responseBytes * at(problem.egressPerGb, j, i)) / 1e9;
        arcCost[arc] = (problem.costPerSecond * rttMs[i * R + j]!) / 1000 + egressFactor * egressCost[arc]!;
      }
    }
  });
  return { arcCost, egressCost, rttMs };
}

export function roundTripMs({ latencyMs }: Pick<RoutingProblem, 'latencyMs'>, i: number, j: number): number {
  return at(latencyMs, i, j) + at(latencyMs, j, i);
}

function at(matrix: readonly (readonly number[])[], i: number, j: number): number {
  return matrix[i]?.[j] ?? 0;
}

function findNearest(network: Network, fixed: ReadonlySet<number>): void {
  const { S, R, curves, siteStart, siteRegion, arcCost } = network;
  for (let s = 0; s < S; s++) {
    for (let i = 0; i < R; i++) {
      const row = s * R + i;
      let best = curves[row] !== null ? i : -1;
      for (let k = siteStart[s]!; best !== i && k < siteStart[s + 1]!; k++) {
        const j = siteRegion[k]!;
        if (best < 0 || arcCost[row * R + j]! < arcCost[row * R + best]!) best = j;
      }
      network.nearest[row] = best;
      if (fixed.has(i)) network.fixedRegion[row] = best;
    }
  }
}

/** Visits of a route to a service are taken as at least this many a request, so that a rare call keeps a finite price. */
const FEWEST_VISITS = 1e-3;

/**
 * What a request to a service beyond its capacity loses, by service: the value of the entry request that it belongs to,
 * over the visits it makes there; of several routes the dearest, so that overload never pays.
 */
function overloadPrices(problem: RoutingProblem, rows: CallRows, order: CallOrder): Float64Array {
  const prices = new Float64Array(problem.services.length);
  const visits = new Float64Array(problem.services.length);
  let dearest = 0;
  const valueOf = new Map<number, number>();
  for (const { service, valuePerRequest } of problem.entries) {
    valueOf.set(service, Math.max(valueOf.get(service) ?? 0, valuePerRequest));
    dearest = Math.max(dearest, valuePerRequest);
  }
  const place = new Int32Array(problem.services.length);
  for (let g = 0; g < order.cyclic.length; g++) {
    for (let k = order.groupStart[g]!; k < order.groupStart[g + 1]!; k++) place[order.members[k]!] = g;
  }
  for (const [service, value] of valueOf) {
    for (const s of visitsFrom(service, { rows, order, place, visits })) {
      prices[s] = Math.max(prices[s]!, value / Math.max(visits[s]!, FEWEST_VISITS));
      visits[s] = 0;
    }
  }
  // What no route reaches has no load of ours.
  return prices.map((price) => (price > 0 ? price : dearest));
}

interface Walk {
  rows: CallRows;
  order: CallOrder;
  /** Group by service. */
  place: Int32Array;
  /** Left filled for the services returned. */
  visits: Float64Array;
}

function visitsFrom(entry: number, { rows, order, place, visits }: Walk): number[] {
  const reached = [entry];
  const known = new Set(reached);
  for (const s of reached) {
    for (let k = rows.start[s]!; k < rows.start[s + 1]!; k++) {
      const callee = rows.index[k]!;
      if (!known.has(callee)) reached.push(callee);
      known.add(callee);
    }
  }
  const groups = [...new Set(reached.map((s) => place[s]!))].sort((a, b) => a - b);
  visits[entry] = 1;
  for (const g of groups) {
    const members = order.members.subarray(order.groupStart[g]!, order.groupStart[g + 1]!);
    if (order.cyclic[g]) circleVisits(members, rows, visits);
    for (const s of members) {
      for (let k = rows.start[s]!; k < rows.start[s + 1]!; k++) {
        if (place[rows.index[k]!] !== g) visits[rows.index[k]!]! += visits[s]! * rows.calls[k]!;
      }
    }
  }
  return reached;
}

/** Adds to what enters a circle what goes round it, until what still goes round is nothing. */
function circleVisits(members: Int32Array, rows: CallRows, visits: Float64Array): void {
  const inside = new Set(members);
  let moving = new Map([...members].map((s) => [s, visits[s]!]));
  for (let round = 0; round < 1000; round++) {
    const next = new Map<number, number>();
    for (const [s, amount] of moving) {
      for (let k = rows.start[s]!; k < rows.start[s + 1]!; k++) {
        const callee = rows.index[k]!;
        if (inside.has(callee)) next.set(callee, (next.get(callee) ?? 0) + amount * rows.calls[k]!);
      }
    }
    let left = 0;
    for (const [s, amount] of next) {
      visits[s]! += amount;
      left = Math.max(left, amount);
    }
    if (left < 1e-9) return;
    moving = next;
  }
}
