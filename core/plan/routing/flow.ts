import type { CostComponents, RoutedFlow } from './problem.js';
import type { Network } from './network.js';
import { evaluateCurve } from './queueCurve.js';

/** Where all requests go. Rows and sites s·R + region, entries e·R + region, arcs (s·R + i)·R + j. */
export interface Flow {
  weights: Float64Array;
  /** Requests per second let in, by entry and region. */
  admittedRps: Float64Array;
  arrivals: Float64Array;
  load: Float64Array;
}

export function emptyFlow({ S, R, problem }: Network): Flow {
  return {
    weights: new Float64Array(S * R * R),
    admittedRps: new Float64Array(problem.entries.length * R),
    arrivals: new Float64Array(S * R),
    load: new Float64Array(S * R),
  };
}

export function copyFlow(flow: Flow): Flow {
  return {
    weights: flow.weights.slice(),
    admittedRps: flow.admittedRps.slice(),
    arrivals: flow.arrivals.slice(),
    load: flow.load.slice(),
  };
}

/** A circle's sums are settled when a round changes them by less than this, relative to the largest. */
const SETTLED = 1e-13;
const MOST_ROUNDS = 2000;

/** Sets arrivals and load from weights and what is let in; callers before callees. */
export function propagate(network: Network, flow: Flow): void {
  startArrivals(network, flow);
  const { order } = network;
  for (let g = 0; g < order.cyclic.length; g++) propagateGroup(network, flow, g);
}

/** Arrivals from outside only; the rest is added group by group. */
export function startArrivals({ R, problem }: Network, flow: Flow): void {
  flow.arrivals.fill(0);
  problem.entries.forEach(({ service }, e) => {
    for (let i = 0; i < R; i++) flow.arrivals[service * R + i]! += flow.admittedRps[e * R + i]!;
  });
}

/** Load of a group whose arrivals from earlier groups are known, and the arrivals it causes in later ones. */
export function propagateGroup(network: Network, flow: Flow, g: number): void {
  const { order } = network;
  const [from, to] = [order.groupStart[g]!, order.groupStart[g + 1]!];
  if (order.cyclic[g]) {
    circleLoad(network, flow, order.members.subarray(from, to));
    return;
  }
  const s = order.members[from]!;
  placeLoad(network, flow, s);
  callOn(network, flow, s, flow.load);
}

function placeLoad({ R, siteStart, siteRegion }: Network, flow: Flow, s: number): void {
  for (let k = siteStart[s]!; k < siteStart[s + 1]!; k++) {
    const j = siteRegion[k]!;
    let sum = 0;
    for (let i = 0; i < R; i++) sum += flow.arrivals[s * R + i]! * flow.weights[(s * R + i) * R + j]!;
    flow.load[s * R + j] = sum;
  }
}

function callOn({ R, rows }: Network, flow: Flow, s: number, load: Float64Array): void {
  for (let k = rows.start[s]!; k < rows.start[s + 1]!; k++) {
    const to = rows.index[k]! * R;
    const calls = rows.calls[k]!;
    for (let j = 0; j < R; j++) flow.arrivals[to + j]! += calls * load[s * R + j]!;
  }
}

/** What enters a circle goes round it, less each time, until what is left is nothing. */
function circleLoad(network: Network, flow: Flow, members: Int32Array): void {
  const { R } = network;
  const before = new Float64Array(members.length * R);
  const change = new Float64Array(R);
  for (const s of members) flow.load.fill(0, s * R, s * R + R);
  for (let round = 0; round < MOST_ROUNDS; round++) {
    let moved = 0;
    let largest = 0;
    for (let m = 0; m < members.length; m++) {
      const s = members[m]!;
      for (let j = 0; j < R; j++) before[m * R + j] = flow.load[s * R + j]!;
      placeLoad(network, flow, s);
      for (let j = 0; j < R; j++) {
        change[j] = flow.load[s * R + j]! - before[m * R + j]!;
        moved = Math.max(moved, Math.abs(change[j]!));
        largest = Math.max(largest, flow.load[s * R + j]!);
      }
      addCalls(network, flow, s, change);
    }
    if (moved <= SETTLED * largest) return;
  }
}

function addCalls({ R, rows }: Network, flow: Flow, s: number, change: Float64Array): void {
  for (let k = rows.start[s]!; k < rows.start[s + 1]!; k++) {
    const to = rows.index[k]! * R;
    for (let j = 0; j < R; j++) flow.arrivals[to + j]! += rows.calls[k]! * change[j]!;
  }
}

export function objectiveOf(network: Network, flow: Flow): number {
  const { S, R, curves, siteStart, siteRegion, arcCost, entryRps, problem } = network;
  const out = new Float64Array(3);
  let sum = 0;
  for (let s = 0; s < S; s++) {
    for (let k = siteStart[s]!; k < siteStart[s + 1]!; k++) {
      const site = s * R + siteRegion[k]!;
      evaluateCurve(curves[site]!, flow.load[site]!, out);
      sum += out[0]!;
    }
    for (let row = s * R; row < (s + 1) * R; row++) {
      const arrivals = flow.arrivals[row]!;
      if (arrivals <= 0) continue;
      if (network.nearest[row]! < 0) sum += arrivals * network.missingPrice[s]!;
      let way = 0;
      for (let j = 0; j < R; j++) way += flow.weights[row * R + j]! * arcCost[row * R + j]!;
      sum += arrivals * way;
    }
  }
  problem.entries.forEach(({ valuePerRequest }, e) => {
    for (let i = e * R; i < (e + 1) * R; i++) sum += (entryRps[i]! - flow.admittedRps[i]!) * valuePerRequest;
  });
  return sum;
}

/** The cost by kind, at the problem's own egress price. */
export function componentsOf(network: Network, flow: Flow): CostComponents {
  const { S, R, curves, egressCost, entryRps, problem } = network;
  const out = new Float64Array(3);
  const costs = { latency: 0, network: 0, egress: 0, shed: 0 };
  for (let site = 0; site < S * R; site++) {
    const curve = curves[site] ?? null;
    if (curve !== null) {
      evaluateCurve(curve, flow.load[site]!, out);
      costs.latency += out[0]!;
    }
    if (network.nearest[site]! < 0) costs.shed += flow.arrivals[site]! * network.missingPrice[Math.floor(site / R)]!;
  }
  for (let row = 0; row < S * R; row++) {
    const i = row % R;
    for (let j = 0; j < R; j++) {
      const rps = flow.arrivals[row]! * flow.weights[row * R + j]!;
      if (rps <= 0) continue;
      costs.egress += rps * egressCost[row * R + j]!;
      costs.network += (rps * problem.costPerSecond * network.rttMs[i * R + j]!) / 1000;
    }
  }
  problem.entries.forEach(({ valuePerRequest }, e) => {
    for (let i = e * R; i < (e + 1) * R; i++) costs.shed += (entryRps[i]! - flow.admittedRps[i]!) * valuePerRequest;
  });
  return costs;
}

export function admittedShares({ entryRps }: Network, flow: Flow): Float64Array {
  return flow.admittedRps.map((rps, i) => (entryRps[i]! > 0 ? Math.min(1, rps / entryRps[i]!) : 1));
}

export function routedFlow(network: Network, flow: Flow): RoutedFlow {
  const components = componentsOf(network, flow);
  return {
    weights: flow.weights,
    arrivals: flow.arrivals,
    load: flow.load,
    admitted: admittedShares(network, flow),
    objective: components.latency + components.network + components.egress + components.shed,
    components,
  };
}
