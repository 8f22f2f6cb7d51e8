import { copyFlow, emptyFlow, propagate, routedFlow } from '../../core/plan/routing/flow.js';
import type { Flow } from '../../core/plan/routing/flow.js';
import type { Network } from '../../core/plan/routing/network.js';
import type { RoutedFlow } from '../../core/plan/routing/problem.js';
import { localFlow, waterfallFlow } from '../../core/plan/routing/waterfall.js';

export type PeerName = 'all-local' | 'locality failover' | 'waterfall';

/**
 * The peers' flows, by the same cost. All-local: own region, and where the service is not there spread evenly over its
 * sites, as a mesh without locality does. Locality failover: own region, else the nearest with a site. Waterfall: own
 * region up to its capacity, then the nearest with room, hop by hop. None of them refuses; each also gets the uniform
 * share of admission that costs it least, and the better of the two counts.
 */
export function peerFlows(network: Network): Record<PeerName, RoutedFlow> {
  return {
    'all-local': atBestAdmission(network, spreadFlow(network)),
    'locality failover': atBestAdmission(network, localFlow(network)),
    waterfall: atBestAdmission(network, waterfallFlow(network)),
  };
}

function spreadFlow(network: Network): Flow {
  const { R, S, curves, siteStart, siteRegion, fixedRegion } = network;
  const flow = emptyFlow(network);
  flow.admittedRps.set(network.entryRps);
  for (let row = 0; row < S * R; row++) {
    const s = Math.floor(row / R);
    const own = curves[row] !== null ? row % R : fixedRegion[row]!;
    const [from, to] = [siteStart[s]!, siteStart[s + 1]!];
    if (own >= 0) flow.weights[row * R + own] = 1;
    else for (let k = from; k < to; k++) flow.weights[row * R + siteRegion[k]!] = 1 / (to - from);
  }
  propagate(network, flow);
  return flow;
}

function atBestAdmission(network: Network, flow: Flow): RoutedFlow {
  const at = (share: number): RoutedFlow => {
    const scaled = copyFlow(flow);
    for (let k = 0; k < scaled.admittedRps.length; k++) {
      scaled.admittedRps[k] = network.entryRps[k]! * (network.entryFixed[k] ? 1 : share);
    }
    propagate(network, scaled);
    return routedFlow(network, scaled);
  };
  let best = at(1);
  // The cost is convex in the share; a coarse search from above is near enough and never hurts the peer.
  for (let share = 0.95; share > 0.02; share -= 0.05) {
    const next = at(share);
    if (next.objective < best.objective) best = next;
  }
  return best;
}
