import type { PlanWindow } from '../spec/plan.js';
import type { RegionSpec } from '../spec/region.js';
import type { ServiceRoute } from './routes.js';
import type { ServiceContext } from './servicePlan.js';
import { oneDecimal } from '../spec/oneDecimal.js';

/** By these words the lint knows that what a plan sheds is told. */
export const REFUSED_AT_THE_EDGE = 'are refused at the edge';
/** Less than this is rounding. */
const LEAST_RPS = 0.05;

/** What the plan refuses at the edge, by entry: the worst window, and in how many. */
export function shedWarnings(
  region: RegionSpec,
  routes: readonly ReadonlyMap<string, ServiceRoute>[],
  windows: readonly PlanWindow[],
): string[] {
  return region.services.flatMap(({ name, entry, criticality }): string[] => {
    const shed = routes.map((window) => window.get(name)?.admission);
    const worst = worstOf(shed.map((one) => (one !== undefined && one.share <= 0.999 ? one.refusedRps : 0)));
    const admission = worst === null ? undefined : shed[worst.index];
    if (worst === null || admission === undefined) return [];
    const what =
      entry === undefined ? `${name}, beyond what the graph explains` : `${name} (${criticality ?? 'normal'})`;
    return [
      `${what}: ${oneDecimal(admission.refusedRps)} rps ${REFUSED_AT_THE_EDGE} ${during(worst, windows)}: a request is worth ${short(admission.value)}, and capacity for it would cost ${short(admission.price)}`,
    ];
  });
}

/** Where more is answered here than the instances take within the SLO. */
export function shortfallWarnings(
  { region, instances, routes, demand }: ServiceContext,
  windows: readonly PlanWindow[],
): string[] {
  return region.services.flatMap(({ name }): string[] => {
    const over = routes.map((window, i) => {
      const planned = instances.get(name)?.[i];
      const capacityRps = (planned?.count ?? 0) * (planned?.perInstanceRps ?? 0);
      return Math.max(0, (window.get(name)?.localRps ?? 0) - capacityRps * (1 + OVERLOADED));
    });
    const worst = worstOf(over);
    if (worst === null) return [];
    const planned = instances.get(name)?.[worst.index];
    const capacityRps = (planned?.count ?? 0) * (planned?.perInstanceRps ?? 0);
    return [
      `${name}: ${oneDecimal(worst.rps)} rps of ${oneDecimal(demand.byService.get(name)?.rps[worst.index] ?? 0)} rps exceed what ${planned?.count ?? 0} instances (${oneDecimal(capacityRps)} rps) and the neighbours can serve ${during(worst, windows)}`,
    ];
  });
}

/** The solver's prices rise over a band above the capacity; within it nothing is amiss. */
export const OVERLOADED = 0.02;

interface Worst {
  index: number;
  rps: number;
  windows: number;
}

function worstOf(rps: readonly number[]): Worst | null {
  const index = rps.indexOf(Math.max(...rps));
  const most = rps[index] ?? 0;
  return most < LEAST_RPS ? null : { index, rps: most, windows: rps.filter((one) => one >= LEAST_RPS).length };
}

function during({ index, windows: count }: Worst, windows: readonly PlanWindow[]): string {
  if (windows.length === 1) return 'at the peak';
  return `from ${windows[index]?.from ?? ''}${count > 1 ? `, the worst of ${count} windows` : ''}`;
}

function short(amount: number): string {
  return String(Number(amount.toPrecision(3)));
}
