import type { Network } from './network.js';
import { emptyFlow, propagateGroup, startArrivals } from './flow.js';
import type { Flow } from './flow.js';

/** All local where the service is, else to the nearest site: what meshes do whose sites are all healthy. */
export function localFlow(network: Network): Flow {
  const flow = emptyFlow(network);
  const { R, S } = network;
  flow.admittedRps.set(network.entryRps);
  startArrivals(network, flow);
  for (let row = 0; row < S * R; row++) {
    const j = nearestInTime(network, row);
    if (j >= 0) flow.weights[row * R + j] = 1;
  }
  for (let g = 0; g < network.order.cyclic.length; g++) propagateGroup(network, flow, g);
  return flow;
}

/** Passes that a circle gets: its arrivals are known only after its weights. */
const CIRCLE_PASSES = 5;

/**
 * Hop by hop, callers before callees, every region fills its own site up to the capacity and then the nearest with
 * room. What finds no room stays where it would go by distance alone.
 */
export function waterfallFlow(network: Network): Flow {
  let flow = localFlow(network);
  const passes = network.order.cyclic.includes(1) ? CIRCLE_PASSES : 1;
  const pairs = pairsByDistance(network);
  for (let pass = 0; pass < passes; pass++) {
    const next = emptyFlow(network);
    next.admittedRps.set(network.entryRps);
    startArrivals(network, next);
    for (let g = 0; g < network.order.cyclic.length; g++) {
      const arrivals = network.order.cyclic[g] ? flow.arrivals : next.arrivals;
      for (let k = network.order.groupStart[g]!; k < network.order.groupStart[g + 1]!; k++) {
        fillService(network, network.order.members[k]!, arrivals, next.weights, pairs);
      }
      propagateGroup(network, next, g);
    }
    flow = next;
  }
  return flow;
}

/** [from, to] of all pairs of regions, own first, then by round trip. */
function pairsByDistance({ R, rttMs }: Network): (readonly [number, number])[] {
  const pairs = Array.from({ length: R * R }, (_, k) => [Math.floor(k / R), k % R] as const);
  const apart = ([i, j]: readonly [number, number]): number => (i === j ? -1 : rttMs[i * R + j]!);
  return pairs.sort((a, b) => apart(a) - apart(b));
}

function fillService(
  network: Network,
  s: number,
  arrivals: Float64Array,
  weights: Float64Array,
  pairs: readonly (readonly [number, number])[],
): void {
  const { R, curves, fixedRegion } = network;
  const room = Float64Array.from({ length: R }, (_, j) => curves[s * R + j]?.capacityRps ?? 0);
  const left = arrivals.slice(s * R, s * R + R);
  for (const [i, j] of pairs) {
    const row = s * R + i;
    const here = fixedRegion[row]! < 0 ? Math.min(left[i]!, room[j]!) : fixedRegion[row] === j ? left[i]! : 0;
    if (here <= 0) continue;
    weights[row * R + j]! += here / arrivals[row]!;
    left[i]! -= here;
    room[j] = Math.max(0, room[j]! - here);
  }
  for (let i = 0; i < R; i++) {
    const row = s * R + i;
    const j = fixedRegion[row]! >= 0 ? fixedRegion[row]! : nearestInTime(network, row);
    if (j < 0) continue;
    if (arrivals[row]! <= 0) weights[row * R + j] = 1;
    else if (left[i]! > 0) weights[row * R + j]! += left[i]! / arrivals[row]!;
  }
}

function nearestInTime({ R, rttMs, curves, siteStart, siteRegion, fixedRegion }: Network, row: number): number {
  if (fixedRegion[row]! >= 0) return fixedRegion[row]!;
  const s = Math.floor(row / R);
  const i = row % R;
  if (curves[row]) return i;
  let best = -1;
  for (let k = siteStart[s]!; k < siteStart[s + 1]!; k++) {
    const j = siteRegion[k]!;
    if (best < 0 || rttMs[i * R + j]! < rttMs[i * R + best]!) best = j;
  }
  return best;
}
