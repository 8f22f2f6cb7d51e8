import type { RoutedFlow, RoutingProblem, RoutingSolution } from './problem.js';
import { compileNetwork } from './network.js';
import type { Network } from './network.js';
import { copyFlow, emptyFlow, objectiveOf, propagate, routedFlow } from './flow.js';
import type { Flow } from './flow.js';
import { emptyPrices, priceFlow } from './prices.js';
import type { Prices } from './prices.js';
import { dualPrices } from './dual.js';
import { adaptPrices, capacityPrices, pointsOf, softCapacity } from './softCapacity.js';
import type { SoftCapacity } from './softCapacity.js';
import { repair } from './repair.js';
import { descend, nextFlow, settle, startDescent } from './descent.js';
import type { Descent } from './descent.js';
import { localFlow, waterfallFlow } from './waterfall.js';

export interface SolveOptions {
  /** Solution of a like problem (same regions, services and entries) to start from. */
  warm?: Pick<RoutingSolution, 'weights' | 'admitted' | 'capacityPrice'>;
  maxIterations?: number;
  /** Stops when the solution is proven to be this near the optimum. */
  gapTarget?: number;
  /** Factor on egress prices, while a cap on egress is kept; 1: as priced. */
  egressFactor?: number;
}

const DEFAULTS = { maxIterations: 200, gapTarget: 0.01 };

/** Sweeps between two adaptations of the capacities' prices, and between two looks at how good the flow is by now. */
const [ADAPT_EVERY, CHECK_EVERY] = [2, 5];
/** Weight of the newest prices in their running mean: prices swing about the optimum, their mean is nearer. */
const NEWEST = 0.1;
/** Sweeps on the true curves at the end, which settle what the soft ones left; the more where the target was missed. */
const POLISH = [8, 60] as const;

/**
 * Locality weights and admission of least cost: Gallager's descent (1977) on the weights themselves, with second
 * derivatives, and capacities kept by prices that adapt (softCapacity.ts). From time to time the flow is cut to the
 * true capacities; the cheapest such flow is the result. It starts as the best of all-local, waterfall and `warm`, so
 * the result is never dearer than any of them. Deterministic.
 */
export function solveRouting(problem: RoutingProblem, options: SolveOptions = {}): RoutingSolution {
  return solveNetwork(compileNetwork(problem, options.egressFactor ?? 1), options);
}

export function solveNetwork(network: Network, options: SolveOptions = {}): RoutingSolution {
  const { maxIterations, gapTarget } = { ...DEFAULTS, ...options };
  const search = startSearch(network, options.warm);
  let iterations = 0;
  look(search);
  while (relativeGap(search) > gapTarget && iterations < maxIterations) {
    iterations++;
    if (!sweep(search)) break;
    if (iterations % CHECK_EVERY === 0) look(search);
    if (iterations % ADAPT_EVERY === 0) {
      adaptPrices(search.network, search.descent.flow.load, search.soft);
      priceFlow(search.network, search.descent.flow, search.prices);
    }
  }
  return finish(search, polish(search, relativeGap(search) > gapTarget ? POLISH[1] : POLISH[0]), iterations);
}

interface Search {
  /** With soft capacities. */
  network: Network;
  truth: Network;
  soft: SoftCapacity;
  descent: Descent;
  prices: Prices;
  spare: Prices;
  meanSlope: Float64Array;
  best: Flow;
  cost: number;
  bound: number;
  /** Of the best bound. */
  points: Float64Array;
}

function startSearch(truth: Network, warm: SolveOptions['warm']): Search {
  const best = bestStart(truth, warm);
  const soft = softCapacity(truth, warm?.capacityPrice);
  const network = { ...truth, soft };
  const prices = emptyPrices(network);
  priceFlow(network, best, prices);
  return {
    network,
    truth,
    soft,
    descent: startDescent(network, copyFlow(best)),
    prices,
    spare: emptyPrices(network),
    meanSlope: prices.ownSlope.slice(),
    best,
    cost: objectiveOf(truth, best),
    bound: -Infinity,
    points: new Float64Array(best.load.length),
  };
}

/** False where no sweep helps any more. */
function sweep(search: Search): boolean {
  const { network, descent, meanSlope } = search;
  const step = descend(descent, search.prices);
  if (step > 0) {
    priceFlow(network, nextFlow(descent, step), search.spare);
    settle(descent, step, search.prices, search.spare);
    [search.prices, search.spare] = [search.spare, search.prices];
  }
  const { ownSlope } = search.prices;
  for (let site = 0; site < meanSlope.length; site++) {
    meanSlope[site]! += NEWEST * (ownSlope[site]! - meanSlope[site]!);
  }
  return true;
}

/** Bounds the optimum by the present and the mean prices, and cuts the present flow to the true capacities. */
function look(search: Search): void {
  const { truth, soft, descent, prices } = search;
  for (const slopes of [prices.ownSlope, search.meanSlope]) {
    const points = new Float64Array(slopes.length);
    pointsOf(truth, descent.flow.load, slopes, points);
    const { bound } = dualPrices(truth, points);
    if (bound > search.bound) [search.bound, search.points] = [bound, points];
  }
  const candidate = descent.spare;
  repair(truth, descent.flow, soft.point, prices, candidate);
  const cost = objectiveOf(truth, candidate);
  if (cost < search.cost) [search.cost, search.best] = [cost, copyFlow(candidate)];
}

/** Against what is served: a large loss by refusals would make any routing of the rest look near the optimum. */
function relativeGap({ truth, best, cost, bound }: Search): number {
  const served = cost - refusedValue(truth, best);
  return Math.max(0, cost - bound) / Math.max(served, 1e-9 * Math.abs(cost), 1e-300);
}

/** Plain descent on the true curves; every step lowers the cost. */
function polish({ truth, best }: Search, steps: number): Flow {
  const descent = startDescent(truth, best);
  let [prices, spare] = [emptyPrices(truth), emptyPrices(truth)];
  priceFlow(truth, best, prices);
  for (let k = 0; k < steps; k++) {
    const step = descend(descent, prices);
    if (step <= 0) break;
    priceFlow(truth, nextFlow(descent, step), spare);
    settle(descent, step, prices, spare);
    [prices, spare] = [spare, prices];
  }
  return descent.flow;
}

function refusedValue({ R, problem, entryRps }: Network, flow: Flow): number {
  let value = 0;
  problem.entries.forEach(({ valuePerRequest }, e) => {
    for (let k = e * R; k < (e + 1) * R; k++) value += (entryRps[k]! - flow.admittedRps[k]!) * valuePerRequest;
  });
  return value;
}

function bestStart(network: Network, warm: SolveOptions['warm']): Flow {
  const starts = [waterfallFlow(network), localFlow(network)];
  if (warm !== undefined) starts.unshift(flowFrom(network, warm.weights, warm.admitted));
  let [best, least] = [starts[0]!, Infinity];
  for (const start of starts) {
    const cost = objectiveOf(network, start);
    if (cost < least) [best, least] = [start, cost];
  }
  return best;
}

/** The flow that weights make; regions whose weights are not ours keep theirs. Absent shares of admission are 1. */
export function flowFrom(network: Network, weights: Float64Array, admitted?: Float64Array): Flow {
  const { R, fixedRegion, entryRps, entryFixed } = network;
  const flow = emptyFlow(network);
  flow.weights.set(weights);
  for (let row = 0; row < fixedRegion.length; row++) {
    if (fixedRegion[row]! < 0) continue;
    flow.weights.fill(0, row * R, row * R + R);
    flow.weights[row * R + fixedRegion[row]!] = 1;
  }
  dropClosed(network, flow.weights);
  for (let k = 0; k < entryRps.length; k++)
    flow.admittedRps[k] = entryRps[k]! * (entryFixed[k] ? 1 : (admitted?.[k] ?? 1));
  propagate(network, flow);
  return flow;
}

/** Weights on sites that are not there (any more) go to the others in proportion, or to the nearest. */
function dropClosed({ R, curves, nearest }: Network, weights: Float64Array): void {
  for (let row = 0; row < nearest.length; row++) {
    const sites = Math.floor(row / R) * R;
    let sum = 0;
    for (let j = 0; j < R; j++) {
      if (curves[sites + j] === null) weights[row * R + j] = 0;
      sum += weights[row * R + j]!;
    }
    if (sum > 0) for (let j = 0; j < R; j++) weights[row * R + j]! /= sum;
    else if (nearest[row]! >= 0) weights[row * R + nearest[row]!] = 1;
  }
}

function finish(search: Search, flow: Flow, iterations: number): RoutingSolution {
  const { truth, bound, points } = search;
  // Blended loads carry the rounding of every step; once through the graph and they agree with the weights again.
  propagate(truth, flow);
  const prices = dualPrices(truth, points);
  const cost = objectiveOf(truth, flow);
  return {
    ...routedFlow(truth, flow),
    sitePrice: prices.site,
    requestPrice: prices.request,
    capacityPrice: capacityPrices(truth, points),
    lowerBound: bound,
    gap: Math.max(0, cost - bound) / Math.max(cost, 1e-300),
    iterations,
  };
}

/** What given weights cost, by the same measure: to set others beside ours. */
export function evaluateRouting(problem: RoutingProblem, weights: Float64Array, admitted?: Float64Array): RoutedFlow {
  const network = compileNetwork(problem);
  return routedFlow(network, flowFrom(network, weights, admitted));
}
