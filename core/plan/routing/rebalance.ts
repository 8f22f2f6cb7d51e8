import type { Network } from './network.js';
import type { Prices } from './prices.js';
import { evaluateQueue } from './queueCurve.js';
import { chargeOverload } from './softCapacity.js';

/** What one service's rows are rebalanced with; scratch space is reused over services. */
export interface Rebalance {
  network: Network;
  prices: Prices;
  /** Load the prices are for. */
  load: Float64Array;
  /** By service: how much steeper than estimated the prices below turned out to be. */
  damping: Float64Array;
  scratch: Scratch;
}

export interface Scratch {
  /** By site of the service: its load so far, and marginal price and its slope there. */
  total: Float64Array;
  price: Float64Array;
  slope: Float64Array;
  /** By site: the model's price at no load, and its slope, without the capacity's. */
  foot: Float64Array;
  bend: Float64Array;
  /** By site, for one row: rps before, rps proposed, price at none of the row's, slope assumed. */
  before: Float64Array;
  rps: Float64Array;
  base: Float64Array;
  steep: Float64Array;
  out: Float64Array;
}

export function scratchFor({ R }: Network): Scratch {
  const array = (): Float64Array => new Float64Array(R);
  return {
    total: array(),
    price: array(),
    slope: array(),
    foot: array(),
    bend: array(),
    before: array(),
    rps: array(),
    base: array(),
    steep: array(),
    out: new Float64Array(3),
  };
}

/** A row whose dearest used way costs no more than this above its cheapest is left alone. */
const ALIKE = 1e-7;
/** Times a row's proposal is corrected by the slope it really met. */
const CORRECTIONS = 3;
/** Or until prices come out as they were taken to be, relative. */
const AS_MODELLED = 1e-4;
/** Rounds over a service's rows: two rows change places at a full site only by turns. */
const PASSES = 2;

/**
 * New weights of a service from the present ones for the given arrivals: every row moves from its dear sites to its
 * cheap ones until their modelled marginal prices are equal. Rows go one after the other and see each other's moves.
 * Returns whether anything moved.
 */
export function rebalanceService(task: Rebalance, s: number, arrivals: Float64Array, weights: Float64Array): boolean {
  const { network, scratch } = task;
  const { R, siteStart, siteRegion, fixedRegion } = network;
  if (siteStart[s + 1]! - siteStart[s]! < 2) return false;
  scratch.total.fill(0);
  for (let row = s * R; row < (s + 1) * R; row++) {
    for (let j = 0; j < R; j++) scratch.total[j]! += arrivals[row]! * weights[row * R + j]!;
  }
  let moved = false;
  for (let k = siteStart[s]!; k < siteStart[s + 1]!; k++) modelSite(task, s, siteRegion[k]!);
  for (let pass = 0; pass < PASSES; pass++) {
    let changed = false;
    for (let i = 0; i < R; i++) {
      if (fixedRegion[s * R + i]! < 0 && rebalanceRow(task, s, i, arrivals[s * R + i]!, weights)) changed = true;
    }
    if (!changed) break;
    moved = true;
  }
  return moved;
}

/**
 * The queues' own price as a line from the present load: the chord to the capacity, because a tangent at an empty queue
 * would promise that it stays empty.
 */
function modelSite(task: Rebalance, s: number, j: number): void {
  const { network, prices, scratch } = task;
  const { total, out } = scratch;
  const site = s * network.R + j;
  const curve = network.curves[site]!;
  evaluateQueue(curve, total[j]!, out);
  const room = curve.capacityRps - total[j]!;
  const chord = room > 0.01 * curve.capacityRps ? (curve.atCapacity[1] - out[1]!) / room : 0;
  const bendBelow = task.damping[s]! * (prices.siteBend[site]! - prices.ownBend[site]!);
  const priceBelow = prices.sitePrice[site]! - prices.ownSlope[site]!;
  scratch.bend[j] = Math.max(out[2]!, chord) + bendBelow;
  scratch.foot[j] = out[1]! + priceBelow - bendBelow * task.load[site]! - (scratch.bend[j]! - bendBelow) * total[j]!;
  priceSite(task, s, j);
}

/** Price and slope by the model at the total. */
function priceSite({ network, scratch }: Rebalance, s: number, j: number): void {
  const { out, total } = scratch;
  out[1] = scratch.foot[j]! + scratch.bend[j]! * total[j]!;
  out[2] = scratch.bend[j]!;
  chargeOverload(network, s * network.R + j, total[j]!, out);
  scratch.price[j] = out[1]!;
  scratch.slope[j] = out[2]!;
}

function rebalanceRow(task: Rebalance, s: number, i: number, rps: number, weights: Float64Array): boolean {
  const { network, scratch } = task;
  const { R, siteStart, siteRegion, arcCost } = network;
  const [from, to] = [siteStart[s]!, siteStart[s + 1]!];
  const arc = (s * R + i) * R;
  let cheapest = Infinity;
  let dearest = -Infinity;
  let best = -1;
  for (let k = from; k < to; k++) {
    const j = siteRegion[k]!;
    const cost = arcCost[arc + j]! + scratch.price[j]!;
    if (cost < cheapest) [cheapest, best] = [cost, j];
    if (weights[arc + j]! > 0) dearest = Math.max(dearest, cost);
  }
  if (dearest - cheapest <= ALIKE * Math.abs(cheapest)) return false;
  if (rps <= 0) {
    for (let k = from; k < to; k++) weights[arc + siteRegion[k]!] = siteRegion[k] === best ? 1 : 0;
    return false;
  }
  moveRow(task, s, arc, rps, weights, (ALIKE * Math.abs(cheapest)) / rps);
  for (let k = from; k < to; k++) {
    const j = siteRegion[k]!;
    weights[arc + j] = scratch.rps[j]! / rps;
  }
  return true;
}

function moveRow(task: Rebalance, s: number, arc: number, rps: number, weights: Float64Array, flattest: number): void {
  const { network, scratch } = task;
  const { siteRegion, arcCost } = network;
  const [from, to] = [network.siteStart[s]!, network.siteStart[s + 1]!];
  const { before, rps: proposed, base, steep, total, price, slope } = scratch;
  for (let k = from; k < to; k++) {
    const j = siteRegion[k]!;
    before[j] = weights[arc + j]! * rps;
    steep[j] = Math.max(slope[j]!, flattest);
    base[j] = arcCost[arc + j]! + price[j]! - steep[j]! * before[j]!;
  }
  fillEvenly(network, s, rps, scratch);
  const others = total;
  for (let k = from; k < to; k++) others[siteRegion[k]!]! -= before[siteRegion[k]!]!;
  for (let round = 0; round < CORRECTIONS; round++) {
    let off = 0;
    for (let k = from; k < to; k++) {
      const j = siteRegion[k]!;
      const change = proposed[j]! - before[j]!;
      const old = price[j]!;
      others[j]! += proposed[j]!;
      priceSite(task, s, j);
      others[j]! -= proposed[j]!;
      off = Math.max(off, Math.abs(price[j]! - old - steep[j]! * change) / (price[j]! + old));
      // The chord to where the last proposal led, past the corner where the capacity begins to be charged.
      if (Math.abs(change) > 1e-9 * rps) steep[j] = Math.max((price[j]! - old) / change, flattest);
      base[j] = arcCost[arc + j]! + old - steep[j]! * before[j]!;
      price[j] = old;
    }
    if (off < AS_MODELLED) break;
    fillEvenly(network, s, rps, scratch);
  }
  for (let k = from; k < to; k++) {
    const j = siteRegion[k]!;
    others[j]! += proposed[j]!;
    if (proposed[j] !== before[j]) priceSite(task, s, j);
  }
}

/** Shares rps over the sites so that base + steep · rps is the same wherever there is any (water filling). */
function fillEvenly(network: Network, s: number, rps: number, scratch: Scratch): void {
  const { siteStart, siteRegion } = network;
  const { base, steep, rps: proposed } = scratch;
  const [from, to] = [siteStart[s]!, siteStart[s + 1]!];
  let level = Infinity;
  // The level falls each time a site above it is left out, so at most one round a site.
  for (let round = from; round < to; round++) {
    let room = 0;
    let weighted = rps;
    let left = 0;
    for (let k = from; k < to; k++) {
      const j = siteRegion[k]!;
      if (base[j]! >= level) continue;
      room += 1 / steep[j]!;
      weighted += base[j]! / steep[j]!;
      left++;
    }
    const next = weighted / room;
    if (left === 0 || next >= level) break;
    level = next;
  }
  let sum = 0;
  for (let k = from; k < to; k++) {
    const j = siteRegion[k]!;
    proposed[j] = Math.max(0, (level - base[j]!) / steep[j]!);
    sum += proposed[j]!;
  }
  for (let k = from; k < to; k++) proposed[siteRegion[k]!]! *= rps / sum;
}
