import type { Network } from './network.js';
import { evaluateCurve } from './queueCurve.js';

/** Prices that no flow can undercut, and the bound on the cost of all flows that follows from them. */
export interface DualPrices {
  /** λ by site, δ by row: along the cheapest ways. */
  site: Float64Array;
  request: Float64Array;
  bound: number;
}

const SETTLED = 1e-12;
const MOST_ROUNDS = 2000;

/**
 * Charges every site what its true curve's slope is at `points`. Whatever the flow, a curve lies above its tangent, so
 * the cost is at least that of sending all along the cheapest ways at these prices, less what the tangents leave out
 * (the Lagrangian bound). It holds for any points; at the optimum's own it is the optimum.
 */
export function dualPrices(network: Network, points: Float64Array): DualPrices {
  const { S, R, order, curves, problem, entryRps, entryFixed } = network;
  const prices = { site: new Float64Array(S * R), request: new Float64Array(S * R), bound: 0 };
  const slopes = new Float64Array(S * R);
  const out = new Float64Array(3);
  for (let site = 0; site < S * R; site++) {
    const curve = curves[site] ?? null;
    if (curve === null) continue;
    evaluateCurve(curve, points[site]!, out);
    slopes[site] = out[1]!;
    prices.bound += out[0]! - out[1]! * points[site]!;
  }
  for (let g = order.cyclic.length - 1; g >= 0; g--) {
    // A circle's prices rise from nothing towards their fixed point, so the bound holds wherever they stop.
    for (let round = 0; round < (order.cyclic[g] ? MOST_ROUNDS : 1); round++) {
      let moved = 0;
      for (let k = order.groupStart[g + 1]! - 1; k >= order.groupStart[g]!; k--) {
        moved = Math.max(moved, priceCheapest(network, slopes, prices, order.members[k]!));
      }
      if (moved <= SETTLED) break;
    }
  }
  problem.entries.forEach(({ service, valuePerRequest }, e) => {
    for (let i = 0; i < R; i++) {
      const price = prices.request[service * R + i]!;
      prices.bound += entryRps[e * R + i]! * (entryFixed[e * R + i] ? price : Math.min(valuePerRequest, price));
    }
  });
  return prices;
}

function priceCheapest(network: Network, slopes: Float64Array, prices: DualPrices, s: number): number {
  const { R, rows, siteStart, siteRegion, arcCost, fixedRegion, nearest, missingPrice } = network;
  const [from, to] = [siteStart[s]!, siteStart[s + 1]!];
  for (let k = from; k < to; k++) {
    const j = siteRegion[k]!;
    let price = slopes[s * R + j]!;
    for (let c = rows.start[s]!; c < rows.start[s + 1]!; c++) {
      price += rows.calls[c]! * prices.request[rows.index[c]! * R + j]!;
    }
    prices.site[s * R + j] = price;
  }
  let moved = 0;
  for (let row = s * R; row < (s + 1) * R; row++) {
    let least = nearest[row]! < 0 ? missingPrice[s]! : Infinity;
    for (let k = from; k < to; k++) {
      const j = siteRegion[k]!;
      if (fixedRegion[row]! >= 0 && fixedRegion[row] !== j) continue;
      least = Math.min(least, arcCost[row * R + j]! + prices.site[s * R + j]!);
    }
    moved = Math.max(moved, Math.abs(least - prices.request[row]!) / (Math.abs(least) + 1e-300));
    prices.request[row] = least;
  }
  return moved;
}
