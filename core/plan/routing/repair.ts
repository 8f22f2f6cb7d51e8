import type { Network } from './network.js';
import { propagateGroup, startArrivals } from './flow.js';
import type { Flow } from './flow.js';
import type { Prices } from './prices.js';

/**
 * Cuts a flow's weights, callers before callees, to what sites can take: a site beyond its capacity keeps its callers'
 * proportions, and what it cannot take goes the cheapest ways where there is room. `limits`: rps by site. What is let in
 * stays.
 */
export function repair(network: Network, from: Flow, limits: Float64Array, prices: Prices, into: Flow): void {
  const { order } = network;
  into.weights.set(from.weights);
  into.admittedRps.set(from.admittedRps);
  startArrivals(network, into);
  for (let g = 0; g < order.cyclic.length; g++) {
    const arrivals = order.cyclic[g] ? from.arrivals : into.arrivals;
    for (let k = order.groupStart[g]!; k < order.groupStart[g + 1]!; k++) {
      repairService(network, order.members[k]!, arrivals, limits, prices, into.weights);
    }
    propagateGroup(network, into, g);
  }
}

function repairService(
  network: Network,
  s: number,
  arrivals: Float64Array,
  limits: Float64Array,
  prices: Prices,
  weights: Float64Array,
): void {
  const { R, siteStart, siteRegion, fixedRegion } = network;
  const room = new Float64Array(R);
  const left = new Float64Array(R);
  let missing = 0;
  for (let k = siteStart[s]!; k < siteStart[s + 1]!; k++) {
    const j = siteRegion[k]!;
    let [load, given] = [0, 0];
    for (let row = s * R; row < (s + 1) * R; row++) {
      const rps = arrivals[row]! * weights[row * R + j]!;
      load += rps;
      if (fixedRegion[row]! >= 0) given += rps;
    }
    const capacity = limits[s * R + j]!;
    room[j] = Math.max(0, capacity - load);
    if (load <= capacity || load <= given) continue;
    const kept = Math.max(0, (capacity - given) / (load - given));
    for (let i = 0; i < R; i++) {
      const row = s * R + i;
      if (fixedRegion[row]! >= 0 || arrivals[row]! <= 0) continue;
      const rps = arrivals[row]! * weights[row * R + j]! * (1 - kept);
      weights[row * R + j]! *= kept;
      left[i]! += rps;
      missing += rps;
    }
  }
  if (missing > 0) place(network, s, arrivals, prices, weights, { room, left });
}

function place(
  network: Network,
  s: number,
  arrivals: Float64Array,
  prices: Prices,
  weights: Float64Array,
  { room, left }: { room: Float64Array; left: Float64Array },
): void {
  const { R, arcCost, siteStart, siteRegion } = network;
  const ways: { row: number; j: number; cost: number }[] = [];
  for (let i = 0; i < R; i++) {
    if (left[i]! <= 0) continue;
    for (let k = siteStart[s]!; k < siteStart[s + 1]!; k++) {
      const j = siteRegion[k]!;
      const row = s * R + i;
      ways.push({ row, j, cost: arcCost[row * R + j]! + prices.sitePrice[s * R + j]! });
    }
  }
  ways.sort((a, b) => a.cost - b.cost);
  for (const { row, j } of ways) {
    const rps = Math.min(left[row - s * R]!, room[j]!);
    if (rps <= 0) continue;
    weights[row * R + j]! += rps / arrivals[row]!;
    left[row - s * R]! -= rps;
    room[j]! -= rps;
  }
  // No room anywhere: all that is left spreads as the rest of the row does.
  for (let i = 0; i < R; i++) {
    const row = s * R + i;
    if (left[i]! <= 0) continue;
    const placed = 1 - left[i]! / arrivals[row]!;
    if (placed > 0) for (let j = 0; j < R; j++) weights[row * R + j]! /= placed;
    else weights[row * R + network.nearest[row]!] = 1;
  }
}
