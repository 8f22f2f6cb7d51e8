import { oneDecimal } from '../spec/oneDecimal.js';
import type { MeshPlan } from '../spec/plan.js';
import type { RegionSpec } from '../spec/region.js';
import { stagedWeights } from './weights.js';
import { windowAt } from './windowAt.js';

export interface ReceiverShortfall {
  service: string;
  /** Where the requests would go; where no other region answers the service, our own. */
  region: string;
  /** All that it would get from us, what it gets by today's weights included. */
  wantedRps: number;
  /** What the region file says that it can take from us, on top of its own. */
  spareRps: number;
}

/**
 * Where others have no room for this region's users when all of them leave, by service and region, in the order of the
 * plan. What each would get is what the mesh would send it with nothing answered here (`stagedWeights`), of the demand
 * that the window of `at` was planned for; `spareRps` is for us alone, so that today's share is part of both.
 * Within a hundredth of it, by which weights in whole percents may be off, there is room.
 */
export function receiverShortfalls(region: RegionSpec, plan: MeshPlan, at?: string): ReceiverShortfall[] {
  return windowAt(plan, at).services.flatMap((planned) => {
    const { service, demand } = planned;
    const weights = stagedWeights({
      ...{ service, own: region.name, localPercent: 0, demandRps: demand.rps, neighbours: region.neighbours },
      planned: Object.fromEntries(Object.entries(planned.weights).map(([name, { value }]) => [name, value])),
    });
    const spare = new Map(region.neighbours.map(({ name, spareRps }) => [name, spareRps[service] ?? 0]));
    return Object.entries(weights).flatMap(([name, percent]): ReceiverShortfall[] => {
      const wantedRps = (demand.rps * percent) / 100;
      const spareRps = spare.get(name) ?? 0;
      if (percent === 0 || wantedRps <= spareRps + demand.rps / 100) return [];
      return [{ service, region: name, wantedRps: oneDecimal(wantedRps), spareRps: oneDecimal(spareRps) }];
    });
  });
}
