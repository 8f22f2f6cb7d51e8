import type { Network } from './network.js';
import { emptyFlow, propagateGroup, startArrivals } from './flow.js';
import type { Flow } from './flow.js';
import type { Prices } from './prices.js';
import { rebalanceService, scratchFor } from './rebalance.js';
import type { Scratch } from './rebalance.js';
import { blend, steepestUseful } from './lineSearch.js';

/** A descent under way: where it stands and what it has learnt about the slopes of prices. */
export interface Descent {
  network: Network;
  flow: Flow;
  /** Space for the next proposal and the step towards it. */
  proposal: Flow;
  spare: Flow;
  damping: Float64Array;
  entryDamping: Float64Array;
  scratch: Scratch;
  moved: number[];
}

export function startDescent(network: Network, flow: Flow): Descent {
  return {
    network,
    flow,
    proposal: emptyFlow(network),
    spare: emptyFlow(network),
    damping: new Float64Array(network.S).fill(1),
    entryDamping: new Float64Array(network.entryRps.length).fill(1),
    scratch: scratchFor(network),
    moved: [],
  };
}

/**
 * One sweep over the graph and a step towards what it proposes. Services first answer to their callers' proposals; where
 * that leads nowhere, every service answers to its present arrivals alone. Returns the step, 0–1; 0: nothing is better.
 */
export function descend(descent: Descent, prices: Prices): number {
  propose(descent, prices, true);
  let step = steepestUseful(descent.network, descent.flow, descent.proposal);
  if (step <= 0) {
    propose(descent, prices, false);
    step = steepestUseful(descent.network, descent.flow, descent.proposal);
  }
  if (step <= 0) return 0;
  if (step < 1) blend(descent.network, descent.flow, descent.proposal, step, descent.spare);
  return step;
}

/** Makes the step the present flow, after the prices there have taught the damping. */
export function settle(descent: Descent, step: number, before: Prices, after: Prices): void {
  learn(descent, step, before, after);
  const { flow, proposal, spare } = descent;
  descent.flow = step < 1 ? spare : proposal;
  if (step < 1) descent.spare = flow;
  else descent.proposal = flow;
}

export function nextFlow(descent: Descent, step: number): Flow {
  return step < 1 ? descent.spare : descent.proposal;
}

/** Callers before callees, so that a service answers to what its callers have just been proposed. */
function propose(descent: Descent, prices: Prices, respond: boolean): void {
  const { network, flow, proposal } = descent;
  const { order } = network;
  proposal.weights.set(flow.weights);
  proposeAdmission(descent, prices);
  startArrivals(network, proposal);
  descent.moved = [];
  const task = { network, prices, load: flow.load, damping: descent.damping, scratch: descent.scratch };
  for (let g = 0; g < order.cyclic.length; g++) {
    const arrivals = !respond || order.cyclic[g] ? flow.arrivals : proposal.arrivals;
    for (let k = order.groupStart[g]!; k < order.groupStart[g + 1]!; k++) {
      const s = order.members[k]!;
      if (rebalanceService(task, s, arrivals, proposal.weights)) {
        if (!respond) keepDescending(network, prices, flow.weights, proposal.weights, s);
        descent.moved.push(s);
      }
    }
    propagateGroup(network, proposal, g);
  }
}

/**
 * Takes back the rows whose moves cost more at the present prices: those that only made way for others. What is left
 * lowers the cost however short the step.
 */
function keepDescending(
  { R, arcCost }: Network,
  prices: Prices,
  before: Float64Array,
  after: Float64Array,
  s: number,
): void {
  for (let row = s * R; row < (s + 1) * R; row++) {
    let slope = 0;
    for (let j = 0; j < R; j++) {
      const change = after[row * R + j]! - before[row * R + j]!;
      if (change !== 0) slope += change * (arcCost[row * R + j]! + prices.sitePrice[s * R + j]!);
    }
    if (slope > 0) for (let j = 0; j < R; j++) after[row * R + j] = before[row * R + j]!;
  }
}

/** Lets in more where a request is worth more than it costs, fewer where less, by Newton's step on the price. */
function proposeAdmission({ network, flow, proposal, entryDamping }: Descent, prices: Prices): void {
  const { R, problem, entryRps, entryFixed } = network;
  problem.entries.forEach(({ service, valuePerRequest }, e) => {
    for (let i = 0; i < R; i++) {
      const k = e * R + i;
      const row = service * R + i;
      proposal.admittedRps[k] = flow.admittedRps[k]!;
      if (entryFixed[k] || entryRps[k]! <= 0) continue;
      const surplus = valuePerRequest - prices.requestPrice[row]!;
      const bend = Math.max(prices.requestBend[row]! * entryDamping[k]!, (1e-9 * Math.abs(surplus)) / entryRps[k]!);
      const wanted = bend > 0 ? flow.admittedRps[k]! + surplus / bend : flow.admittedRps[k]!;
      proposal.admittedRps[k] = Math.min(entryRps[k]!, Math.max(0, wanted));
    }
  });
}

/** Of a step's ideal length (where a mover's own gain ends), how far one lesson may change the damping. */
const [MOST_DOWN, MOST_UP] = [0.2, 8];
const [LEAST_DAMPING, MOST_DAMPING] = [1, 30];

/**
 * Estimated slopes leave out that several callers move at once and that ways meet again. So after a step every mover
 * compares its gain per rps before and after: what has turned into a loss says that the price was steeper.
 */
function learn(descent: Descent, step: number, before: Prices, after: Prices): void {
  const { network, flow, proposal, damping, entryDamping } = descent;
  const { R, problem } = network;
  for (const s of descent.moved) {
    let [gained, gains] = [0, 0];
    for (let row = s * R; row < (s + 1) * R; row++) {
      const arrivals = proposal.arrivals[row]!;
      if (arrivals <= 0) continue;
      for (let j = 0; j < R; j++) {
        const change = arrivals * (proposal.weights[row * R + j]! - flow.weights[row * R + j]!);
        if (change === 0) continue;
        gained += change * (network.arcCost[row * R + j]! + before.sitePrice[s * R + j]!);
        gains += change * (network.arcCost[row * R + j]! + after.sitePrice[s * R + j]!);
      }
    }
    damping[s] = taught(damping[s]!, step, gained, gains);
  }
  problem.entries.forEach(({ service, valuePerRequest }, e) => {
    for (let i = 0; i < R; i++) {
      const k = e * R + i;
      const change = proposal.admittedRps[k]! - flow.admittedRps[k]!;
      if (change === 0) continue;
      const row = service * R + i;
      const gained = change * (before.requestPrice[row]! - valuePerRequest);
      const gains = change * (after.requestPrice[row]! - valuePerRequest);
      entryDamping[k] = taught(entryDamping[k]!, step, gained, gains);
    }
  });
}

function taught(damping: number, step: number, before: number, after: number): number {
  if (!(before < 0)) return damping;
  const ideal = step / Math.max(1 - after / before, 1e-6);
  const factor = Math.min(MOST_UP, Math.max(MOST_DOWN, 1 / ideal));
  return Math.min(MOST_DAMPING, Math.max(LEAST_DAMPING, damping * factor));
}
