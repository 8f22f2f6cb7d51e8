import type { RoutedFlow, RoutingProblem } from './problem.js';
import { roundTripMs } from './network.js';

export interface FailoverTarget {
  region: number;
  /** Requests per second that it takes within its SLO on top of its own load. */
  spareRps: number;
}

export interface FailoverTargets {
  /** The first first; every one of them can take all that may move to it. */
  targets: readonly FailoverTarget[];
  /** Load that would have to move. */
  movedRps: number;
  /** Why there is no target. */
  reason?: string;
}

/**
 * Regions that a service's requests may fail over to when its site in `region` is lost: meshes move all of the load at
 * once, so only sites with room for all of it on top of their own are named. Nearest first, equals by price.
 */
export function failoverTargets(
  problem: RoutingProblem,
  solution: RoutedFlow & { sitePrice?: Float64Array },
  service: number,
  region: number,
): FailoverTargets {
  const R = problem.regions.length;
  const { name = '', sites = [] } = problem.services[service] ?? {};
  const here = problem.regions[region] ?? '';
  const movedRps = solution.load[service * R + region] ?? 0;
  const others = sites
    .map((site, j) => ({ region: j, spareRps: (site?.capacityRps ?? 0) - (solution.load[service * R + j] ?? 0) }))
    .filter(({ region: j }) => j !== region && (sites[j]?.capacityRps ?? 0) > 0);
  if (others.length === 0) return { targets: [], movedRps, reason: `${name} runs in no other region than ${here}` };
  const price = (j: number): number => solution.sitePrice?.[service * R + j] ?? 0;
  const targets = others
    .filter(({ spareRps }) => spareRps > 0 && spareRps >= movedRps)
    .sort(
      (a, b) =>
        roundTripMs(problem, region, a.region) - roundTripMs(problem, region, b.region) ||
        price(a.region) - price(b.region) ||
        a.region - b.region,
    );
  if (targets.length > 0) return { targets, movedRps };
  const most = others.reduce((a, b) => (b.spareRps > a.spareRps ? b : a));
  return {
    targets,
    movedRps,
    reason:
      `${movedRps.toFixed(1)} rps of ${name} would move from ${here}; the most that another region can take is ` +
      `${Math.max(0, most.spareRps).toFixed(1)} rps (${problem.regions[most.region] ?? ''})`,
  };
}
