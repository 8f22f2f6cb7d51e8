import { evaluateQueue, queueCurve } from './routing/queueCurve.js';
import type { RegionSpec, ServiceSpec } from '../spec/region.js';

export interface WorthInput {
  service: ServiceSpec;
  /** What the SLO and the limits need. */
  needed: number;
  /** Endpoints. */
  most: number;
  /** Demand to be expected, not its peak, rps. */
  typicalRps: number;
  perInstanceRps: number;
  costs: RegionSpec['costs'];
}

export interface WorthInstances {
  count: number;
  /** What the last one that was added saves in an hour. */
  savesPerHour: number;
}

const SECONDS_PER_HOUR = 3600;

/**
 * Instances beyond what is needed, as long as each saves more of its users' waiting than it costs idle: the shadow price
 * of a service's capacity is what one more instance takes off the routing's own objective (docs/routing.md), at the load
 * that is to be expected. Undefined where none pays, or the region file states no cost of an idle instance.
 */
export function worthInstances(input: WorthInput): WorthInstances | undefined {
  const { needed, most, typicalRps, costs } = input;
  const idle = costs?.idlePerInstanceHour;
  if (costs === undefined || idle === undefined || idle <= 0 || needed < 1 || typicalRps <= 0) return undefined;
  let count = needed;
  let savesPerHour = 0;
  for (let before = waiting(input, count); count < most; count++) {
    const after = waiting(input, count + 1);
    const saves = SECONDS_PER_HOUR * (before - after);
    if (saves <= idle) break;
    savesPerHour = saves;
    before = after;
  }
  return count === needed ? undefined : { count, savesPerHour };
}

/** In the currency of `costs`, a second. */
function waiting({ service, typicalRps, perInstanceRps, costs }: WorthInput, instances: number): number {
  const { concurrency, serviceTimeMs } = service.capacity;
  const curve = queueCurve({
    ...{ instances, concurrency, serviceTimeMs },
    capacityRps: instances * perInstanceRps,
    costPerSecond: costs?.perSecondOfWait ?? 0,
    overloadPrice: 0,
  });
  const out = new Float64Array(3);
  evaluateQueue(curve, typicalRps, out);
  return out[0] ?? 0;
}
