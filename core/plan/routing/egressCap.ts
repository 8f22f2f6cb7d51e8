import type { RoutedFlow, RoutingProblem, RoutingSolution } from './problem.js';
import { blend } from './lineSearch.js';
import { compileNetwork } from './network.js';
import type { Network } from './network.js';
import { emptyFlow, propagate, routedFlow } from './flow.js';
import { flowFrom, solveNetwork } from './solve.js';
import type { SolveOptions } from './solve.js';

export interface CapOptions extends SolveOptions {
  /** A flow known to keep the cap; the result is not slower than it. */
  start?: Pick<RoutedFlow, 'weights' | 'admitted'>;
}

/** Factors on the egress price that are tried until the cap is kept, and halvings (in the logarithm) between two. */
const FACTORS = [0.25, 1, 4, 32, 256, 4096, 65536];
const HALVINGS = 5;

/**
 * The least time (and refused value) with at most `capPerSecond` spent on egress, currency per second, which otherwise
 * costs nothing: egress is priced from nothing up until the cap is kept, and two neighbouring solutions are mixed so that it is just used up. Undefined where no flow that was
 * found keeps it.
 */
export function solveWithEgressCap(
  problem: RoutingProblem,
  capPerSecond: number,
  options: CapOptions = {},
): RoutedFlow | undefined {
  const network = compileNetwork(problem);
  const { start, ...solve } = options;
  // A start's own egress, summed once more, must not fall out of its own cap.
  const cap = capPerSecond * (1 + 1e-9);
  const attempt = (egressFactor: number, warm?: RoutingSolution): RoutingSolution =>
    solveNetwork(compileNetwork(problem, egressFactor), { ...solve, ...(warm && { warm }) });
  let above = attempt(0);
  if (above.components.egress <= cap) return above;
  let [low, high] = [0, 0];
  let below: RoutingSolution | undefined;
  for (const factor of FACTORS) {
    const next = attempt(factor, above);
    high = factor;
    if (next.components.egress <= cap) {
      below = next;
      break;
    }
    [above, low] = [next, factor];
  }
  for (let k = 0; k < HALVINGS && below !== undefined; k++) {
    const middle = low > 0 ? Math.sqrt(low * high) : high / 4;
    const next = attempt(middle, above);
    if (next.components.egress <= cap) [below, high] = [next, middle];
    else [above, low] = [next, middle];
  }
  const known = start === undefined ? [] : [evaluate(network, start)].filter((f) => f.components.egress <= cap);
  const candidates = [...known, ...(below === undefined ? [] : [below])].flatMap((kept) => [
    kept,
    mix(network, above, kept, cap),
  ]);
  return candidates.reduce<RoutedFlow | undefined>(
    (a, b) => (a === undefined || costOf(b) < costOf(a) ? b : a),
    undefined,
  );
}

/** Egress is capped, so it counts no more. */
function costOf({ objective, components }: RoutedFlow): number {
  return objective - components.egress;
}

function evaluate(network: Network, { weights, admitted }: Pick<RoutedFlow, 'weights' | 'admitted'>): RoutedFlow {
  return routedFlow(network, flowFrom(network, weights, admitted));
}

/** Of two flows the mixture that spends the cap: egress is linear in the flows, and waiting at most their mean. */
function mix(network: Network, above: RoutedFlow, below: RoutedFlow, cap: number): RoutedFlow {
  const [a, b] = [above.components.egress, below.components.egress];
  // A hair more of the one below, for the rounding of the sums.
  const share = Math.min(1, (a - cap) / (a - b) + 1e-9);
  const flow = emptyFlow(network);
  blend(
    network,
    flowFrom(network, above.weights, above.admitted),
    flowFrom(network, below.weights, below.admitted),
    share,
    flow,
  );
  propagate(network, flow);
  const mixed = routedFlow(network, flow);
  return mixed.components.egress <= cap ? mixed : below;
}
