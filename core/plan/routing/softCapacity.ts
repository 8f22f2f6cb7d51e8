import type { Network } from './network.js';
import { OVERLOAD_BAND, evaluateCurve, evaluateQueue, overload } from './queueCurve.js';
import type { QueueCurve } from './queueCurve.js';

/**
 * Capacities kept by prices that move and not by walls (method of multipliers). Weights cannot slide along a wall:
 * every change that passes a full site looks like a loss. A price that stays while the load changes lets them.
 * By site.
 */
export interface SoftCapacity {
  /** What a request is charged when the load is at `point`. */
  price: Float64Array;
  /** How fast that rises with load beyond, and falls below. */
  slope: Float64Array;
  /** Load at which the true curve charges `price` for overload; the capacity at price 0. */
  point: Float64Array;
  leastSlope: Float64Array;
  /** Adaptations in a row that found the site overloaded. */
  overloaded: Int32Array;
}

/** Load of twice the capacity is charged this many times the mean price of a way to another region. */
const SLOPE_AT_DOUBLE = 2;
/** Of the price of overload, the same where there is no other way. */
const ALONE = 0.1;
/** A site this far above its point, this often in a row, is charged faster: where not all can be served, prices are far. */
const OVERLOADED = 0.01;
const PATIENCE = 12;
/** Of a service's whole capacity. */
const REFUSES = 0.002;
const [FASTER, SLOWER] = [1.5, 0.8];
/** Of the price of overload: no capacity is worth more. */
const MOST = 1.02;

export function softCapacity(network: Network, prices?: Float64Array): SoftCapacity {
  const { S, R, curves } = network;
  const soft: SoftCapacity = {
    price: new Float64Array(S * R),
    slope: new Float64Array(S * R),
    point: new Float64Array(S * R),
    leastSlope: new Float64Array(S * R),
    overloaded: new Int32Array(S * R),
  };
  for (let site = 0; site < S * R; site++) {
    const curve = curves[site] ?? null;
    if (curve === null) continue;
    const way = meanWay(network, Math.floor(site / R));
    // Where there is no other way, or it costs nothing, only refusing helps: the value of a request is the measure.
    soft.slope[site] = (way > 0 ? SLOPE_AT_DOUBLE * way : ALONE * curve.overloadPrice) / curve.capacityRps;
    soft.leastSlope[site] = soft.slope[site]!;
    soft.price[site] = Math.min(prices?.[site] ?? 0, MOST * curve.overloadPrice);
    soft.point[site] = pointAt(curve, soft.price[site]!);
  }
  return soft;
}

function meanWay({ R, arcCost }: Network, s: number): number {
  let sum = 0;
  for (let arc = s * R * R; arc < (s + 1) * R * R; arc++) sum += arcCost[arc]!;
  return sum / Math.max(1, R * (R - 1));
}

/** Load at which overload alone costs this price. */
function pointAt(curve: QueueCurve, price: number): number {
  const share = curve.overloadPrice > 0 ? Math.min(1, Math.max(0, price) / curve.overloadPrice) : 0;
  return curve.capacityRps * (1 + OVERLOAD_BAND * Math.sqrt(share));
}

/** Raises the price of what is above its point and lowers that of what is below. */
export function adaptPrices({ S, R, curves }: Network, load: Float64Array, soft: SoftCapacity): void {
  for (let s = 0; s < S; s++) {
    let [total, room] = [0, 0];
    for (let site = s * R; site < (s + 1) * R; site++) {
      total += load[site]!;
      room += soft.point[site]!;
    }
    // More than all sites together take: no other way helps, something must be refused, and that is dear.
    const refuses = total > room * (1 + REFUSES);
    for (let site = s * R; site < (s + 1) * R; site++) {
      const curve = curves[site] ?? null;
      if (curve !== null) adaptPrice(curve, load[site]! - soft.point[site]!, soft, site, refuses);
    }
  }
}

function adaptPrice(curve: QueueCurve, excess: number, soft: SoftCapacity, site: number, refuses: boolean): void {
  if (excess <= 0 && soft.price[site] === 0) return;
  if (excess > OVERLOADED * curve.capacityRps || (refuses && excess > 0)) {
    soft.overloaded[site]!++;
    if (refuses || soft.overloaded[site]! >= PATIENCE) soft.slope[site]! *= FASTER;
  } else {
    soft.overloaded[site] = 0;
    soft.slope[site] = Math.max(soft.leastSlope[site]!, soft.slope[site]! * SLOWER);
  }
  const price = soft.price[site]! + soft.slope[site]! * excess;
  soft.price[site] = Math.min(MOST * curve.overloadPrice, Math.max(0, price));
  soft.point[site] = pointAt(curve, soft.price[site]!);
}

/** First and second derivative of what a site's load costs, in `out[1..2]`. */
export function evaluateSite(network: Network, site: number, load: number, out: Float64Array): void {
  evaluateQueue(network.curves[site]!, load, out);
  chargeOverload(network, site, load, out);
}

/** Adds to `out[1..2]` what the capacity is charged. */
export function chargeOverload({ curves, soft }: Network, site: number, load: number, out: Float64Array): void {
  const curve = curves[site]!;
  if (soft === undefined) {
    if (load > curve.capacityRps) overload(curve, load - curve.capacityRps, out);
    return;
  }
  const price = soft.price[site]! + soft.slope[site]! * (load - soft.point[site]!);
  if (price <= 0) return;
  const most = MOST * curve.overloadPrice;
  out[1]! += Math.min(price, most);
  if (price < most) out[2]! += soft.slope[site]!;
}

/** Loads at which the true curves have about these slopes, into `points`. */
export function pointsOf(network: Network, load: Float64Array, slopes: Float64Array, points: Float64Array): void {
  for (let site = 0; site < points.length; site++) {
    const curve = network.curves[site] ?? null;
    if (curve === null) continue;
    const price = slopes[site]! - curve.atCapacity[1];
    points[site] = price > 0 ? pointAt(curve, price) : Math.min(load[site]!, curve.capacityRps);
  }
}

/** What overload alone costs at these loads. */
export function capacityPrices({ curves }: Network, points: Float64Array): Float64Array {
  const [whole, queue] = [new Float64Array(3), new Float64Array(3)];
  return points.map((load, site) => {
    const curve = curves[site] ?? null;
    if (curve === null) return 0;
    evaluateCurve(curve, load, whole);
    evaluateQueue(curve, load, queue);
    return whole[1]! - queue[1]!;
  });
}
