import type { Network } from './network.js';
import type { Flow } from './flow.js';
import { evaluateSite } from './softCapacity.js';

const MOST_STEPS = 12;
/** The search ends where the slope is this small against the slope at the start. */
const FLAT = 0.02;

/**
 * The share of the way from one flow to another at which the cost is least. Costs are convex in the flows (rps by arc),
 * and flows mix as rps do, so the slope along the way only rises. 0 where it rises from the start.
 */
export function steepestUseful(network: Network, from: Flow, to: Flow): number {
  const linear = linearChange(network, from, to);
  const sites = changedSites(from, to);
  const slopeAt = (step: number): number => linear + curvesSlope(network, from, to, sites, step);
  const start = slopeAt(0);
  if (!(start < 0)) return 0;
  let [low, lowSlope, high] = [0, start, 1];
  let highSlope = slopeAt(1);
  if (highSlope <= -FLAT * start) return 1;
  for (let k = 0; k < MOST_STEPS; k++) {
    // The chord where it helps, the middle where a wall makes one end of it useless.
    const chord = low + ((high - low) * lowSlope) / (lowSlope - highSlope);
    const step =
      k % 3 === 2 ? (low + high) / 2 : Math.min(high - 0.02 * (high - low), Math.max(low + 0.02 * (high - low), chord));
    const slope = slopeAt(step);
    if (Math.abs(slope) <= -FLAT * start) return step;
    if (slope < 0) [low, lowSlope] = [step, slope];
    else [high, highSlope] = [step, slope];
  }
  return low;
}

function changedSites(from: Flow, to: Flow): number[] {
  const sites: number[] = [];
  for (let site = 0; site < from.load.length; site++) {
    if (Math.abs(to.load[site]! - from.load[site]!) > 1e-13 * from.load[site]!) sites.push(site);
  }
  return sites;
}

function curvesSlope(network: Network, from: Flow, to: Flow, sites: readonly number[], step: number): number {
  const out = new Float64Array(3);
  let slope = 0;
  for (const site of sites) {
    if (network.curves[site] === null) continue;
    const change = to.load[site]! - from.load[site]!;
    evaluateSite(network, site, Math.max(0, from.load[site]! + step * change), out);
    slope += out[1]! * change;
  }
  return slope;
}

function linearChange(network: Network, from: Flow, to: Flow): number {
  const { S, R, arcCost, nearest, missingPrice, problem } = network;
  let change = 0;
  for (let row = 0; row < S * R; row++) {
    const [a, b] = [from.arrivals[row]!, to.arrivals[row]!];
    for (let arc = row * R; arc < (row + 1) * R; arc++) {
      const rps = b * to.weights[arc]! - a * from.weights[arc]!;
      if (rps !== 0) change += rps * arcCost[arc]!;
    }
    if (nearest[row]! < 0) change += (b - a) * missingPrice[Math.floor(row / R)]!;
  }
  problem.entries.forEach(({ valuePerRequest }, e) => {
    for (let k = e * R; k < (e + 1) * R; k++) change -= (to.admittedRps[k]! - from.admittedRps[k]!) * valuePerRequest;
  });
  return change;
}

/** The flow at `step` of the way, into `into`. */
export function blend({ S, R }: Network, from: Flow, to: Flow, step: number, into: Flow): void {
  const mix = (a: Float64Array, b: Float64Array, out: Float64Array): void => {
    for (let k = 0; k < out.length; k++) out[k] = a[k]! + step * (b[k]! - a[k]!);
  };
  mix(from.admittedRps, to.admittedRps, into.admittedRps);
  mix(from.arrivals, to.arrivals, into.arrivals);
  mix(from.load, to.load, into.load);
  for (let row = 0; row < S * R; row++) {
    const a = (1 - step) * from.arrivals[row]!;
    const b = step * to.arrivals[row]!;
    // A row without requests has no rps to mix; it takes what was proposed.
    const share = a + b > 0 ? b / (a + b) : 1;
    for (let arc = row * R; arc < (row + 1) * R; arc++) {
      into.weights[arc] = (1 - share) * from.weights[arc]! + share * to.weights[arc]!;
    }
  }
}
