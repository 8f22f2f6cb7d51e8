import type { Network } from './network.js';
import type { Flow } from './flow.js';
import { evaluateSite } from './softCapacity.js';

/** What one more request costs all, from the callees up. Slopes in currency a request, bends by requests per second. */
export interface Prices {
  /** First and second derivative of a site's own curve. */
  ownSlope: Float64Array;
  ownBend: Float64Array;
  /** λ: own slope and the calls below. */
  sitePrice: Float64Array;
  /** Second derivative of the same along the present weights. */
  siteBend: Float64Array;
  /** δ: by row, over the present weights. */
  requestPrice: Float64Array;
  requestBend: Float64Array;
}

export function emptyPrices({ S, R }: Network): Prices {
  const array = (): Float64Array => new Float64Array(S * R);
  return {
    ownSlope: array(),
    ownBend: array(),
    sitePrice: array(),
    siteBend: array(),
    requestPrice: array(),
    requestBend: array(),
  };
}

const SETTLED = 1e-12;
const MOST_ROUNDS = 2000;

export function priceFlow(network: Network, flow: Flow, prices: Prices): void {
  const { order, S, R } = network;
  const out = new Float64Array(3);
  for (let site = 0; site < S * R; site++) {
    const curve = network.curves[site]!;
    if (curve === null) continue;
    evaluateSite(network, site, flow.load[site]!, out);
    prices.ownSlope[site] = out[1]!;
    prices.ownBend[site] = out[2]!;
  }
  for (let g = order.cyclic.length - 1; g >= 0; g--) {
    const [from, to] = [order.groupStart[g]!, order.groupStart[g + 1]!];
    if (!order.cyclic[g]) {
      priceService(network, flow, prices, order.members[from]!);
      continue;
    }
    for (let k = from; k < to; k++) clearService(network, prices, order.members[k]!);
    for (let round = 0; round < MOST_ROUNDS; round++) {
      let moved = 0;
      for (let k = to - 1; k >= from; k--) {
        moved = Math.max(moved, priceService(network, flow, prices, order.members[k]!));
      }
      if (moved <= SETTLED) break;
    }
  }
}

function clearService({ R }: Network, prices: Prices, s: number): void {
  prices.requestPrice.fill(0, s * R, s * R + R);
  prices.requestBend.fill(0, s * R, s * R + R);
}

/** Returns the largest relative change of a price. */
function priceService(network: Network, flow: Flow, prices: Prices, s: number): number {
  priceSites(network, prices, s);
  const { R, siteStart, siteRegion, arcCost } = network;
  let moved = 0;
  for (let row = s * R; row < (s + 1) * R; row++) {
    let price = 0;
    let bend = 0;
    for (let k = siteStart[s]!; k < siteStart[s + 1]!; k++) {
      const j = siteRegion[k]!;
      const way = arcCost[row * R + j]!;
      const share = flow.weights[row * R + j]!;
      price += share * (way + prices.sitePrice[s * R + j]!);
      bend += share * share * prices.siteBend[s * R + j]!;
    }
    if (network.nearest[row]! < 0) price = network.missingPrice[s]!;
    moved = Math.max(moved, Math.abs(price - prices.requestPrice[row]!) / (Math.abs(price) + 1e-300));
    prices.requestPrice[row] = price;
    prices.requestBend[row] = bend;
  }
  return moved;
}

function priceSites(network: Network, prices: Prices, s: number): void {
  const { R, rows, siteStart, siteRegion } = network;
  for (let k = siteStart[s]!; k < siteStart[s + 1]!; k++) {
    const j = siteRegion[k]!;
    let price = prices.ownSlope[s * R + j]!;
    let bend = prices.ownBend[s * R + j]!;
    for (let c = rows.start[s]!; c < rows.start[s + 1]!; c++) {
      const calls = rows.calls[c]!;
      const row = rows.index[c]! * R + j;
      price += calls * prices.requestPrice[row]!;
      bend += calls * calls * prices.requestBend[row]!;
    }
    prices.sitePrice[s * R + j] = price;
    prices.siteBend[s * R + j] = bend;
  }
}
