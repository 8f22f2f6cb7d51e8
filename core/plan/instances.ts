import { ok, refused } from '../spec/problem.js';
import type { Result } from '../spec/problem.js';
import type { RegionSpec, ServiceSpec } from '../spec/region.js';
import { capacityCurve } from './capacity/capacityCurve.js';
import type { CapacityCurve, ServiceQueues } from './capacity/capacityCurve.js';
import { newsvendorLevel } from './capacity/demandLevel.js';
import { instancesFor } from './capacity/instances.js';
import type { ServiceDemand } from './demand.js';
import { lbPolicy } from './lb.js';
import { steadyCounts } from './windows.js';
import { worthInstances } from './worthInstances.js';
import type { WorthInstances } from './worthInstances.js';
import { oneDecimal } from '../spec/oneDecimal.js';

export interface PlannedInstances {
  count: number;
  /** rps that one of them takes within the SLO. */
  perInstanceRps: number;
  /** What the count came from. */
  binding: string;
  reason: string;
  inputs: Readonly<Record<string, number | string>>;
}

/** A service's capacity by number of instances, under the balancer and the proxies that it will have. */
export function curveOf(service: ServiceSpec, region: RegionSpec): CapacityCurve {
  const { capacity, slo } = service;
  const { cpuMsPerRequest, coresPerInstance, serviceTimeCv, memory } = capacity;
  const proxies = region.delivery.hosts.length;
  const queues: ServiceQueues = {
    policy: lbPolicy(service, proxies).value,
    clientProxies: proxies,
    concurrency: capacity.concurrency,
    serviceTimeMs: capacity.serviceTimeMs,
    sloP99Ms: slo.p99Ms,
    ...(serviceTimeCv === undefined ? {} : { serviceTimeCv }),
    ...(region.planning === undefined
      ? {}
      : { arrivalCv2: region.planning.arrivalCv2, maxUtilisation: region.planning.maxUtilisation }),
    ...(cpuMsPerRequest === undefined || coresPerInstance === undefined
      ? {}
      : { cpu: { msPerRequest: cpuMsPerRequest, coresPerInstance } }),
    ...(memory === undefined ? {} : { memory }),
  };
  return capacityCurve(queues);
}

/** An instance among a few: what one that stands alone takes is less than most will. */
const USUAL_COUNT = 4;

/** Quantile level of the demand that costs make worth buying for; absent where the region file states no such costs. */
export function levelByCosts(region: RegionSpec, curve: CapacityCurve): number | undefined {
  const { shortagePerRequest, idlePerInstanceHour } = region.costs ?? {};
  if (shortagePerRequest === undefined || idlePerInstanceHour === undefined) return undefined;
  const perInstanceRps = curve.capacityRps(USUAL_COUNT) / USUAL_COUNT;
  return newsvendorLevel({
    shortageCostPerRequest: shortagePerRequest,
    idleCostPerInstanceHour: idlePerInstanceHour,
    perInstanceRps,
  }).level;
}

/**
 * How many instances each window needs, and how many more save more waiting than they cost. `typicalRps`: demand to be
 * expected, one a window. A fall that is smaller than the hysteresis, or that does not last, is not made.
 */
export function planInstances(
  service: ServiceSpec,
  demand: ServiceDemand,
  region: RegionSpec,
  curve: CapacityCurve,
  typicalRps: readonly number[],
): Result<readonly PlannedInstances[]> {
  const { minInstances, endpoints } = service;
  const { survive = 'none', hysteresis = 0 } = region.planning ?? {};
  const question = {
    ...curve.queues,
    minInstances,
    maxInstances: endpoints.length,
    survive,
    ...(survive === 'zone' ? { zones: endpoints.map((endpoint) => endpoint.zone ?? region.locality.zone) } : {}),
  };
  const answers = demand.rps.map((demandRps) => instancesFor({ ...question, demandRps }, curve));
  const [bad] = answers.filter((answer) => !answer.ok);
  if (bad !== undefined && !bad.ok) return refused(bad.problems);
  const needed = answers.flatMap((answer) => (answer.ok ? [answer.value] : []));
  const worth = needed.map((one, i) =>
    worthInstances({
      ...{ service, needed: one.count, most: endpoints.length, perInstanceRps: one.perInstanceRps },
      ...{ typicalRps: typicalRps[i] ?? 0, costs: region.costs },
    }),
  );
  const steady = steadyCounts(
    needed.map((one, i) => worth[i]?.count ?? one.count),
    hysteresis,
  );
  return ok(
    needed.map((one, i): PlannedInstances => {
      const count = steady[i] ?? one.count;
      const demandRps = demand.rps[i] ?? 0;
      const perInstanceRps = count === one.count ? one.perInstanceRps : curve.capacityRps(count) / count;
      const wanted = worth[i]?.count ?? one.count;
      const held = count > wanted ? `; stays at ${count}, as a fall to ${wanted} would be small or short` : '';
      return {
        count,
        perInstanceRps,
        binding: worth[i] === undefined ? one.binding : 'price',
        reason: `${oneDecimal(demandRps)} rps (${demand.source}): ${one.reason}${worthWords(worth[i], one.count)}${held}`,
        inputs: {
          demandRps: oneDecimal(demandRps),
          perInstanceRps: oneDecimal(perInstanceRps),
          p99Ms: oneDecimal(one.p99Ms),
          utilisation: Math.round(one.utilisation * 100) / 100,
          binding: worth[i] === undefined ? one.binding : 'price',
          perInstanceBinding: one.perInstanceBinding,
          minInstances,
          maxInstances: endpoints.length,
        },
      };
    }),
  );
}

function worthWords(worth: WorthInstances | undefined, needed: number): string {
  if (worth === undefined) return '';
  const saves = Number(worth.savesPerHour.toPrecision(3));
  return `; ${worth.count - needed} more save more waiting than they cost idle, the last one ${saves} an hour`;
}
