import { refused, ok } from '../spec/problem.js';
import type { Problem, Result } from '../spec/problem.js';
import type { RegionSpec, ServiceSpec } from '../spec/region.js';
import { instancesFor, perInstanceRps } from './capacity.js';
import type { InstanceCount, PerInstance } from './capacity.js';
import type { ServiceDemand } from './demand.js';
import { steadyCounts } from './windows.js';

export interface PlannedInstances {
  count: number;
  /** rps that one of them takes within the SLO. */
  perInstanceRps: number;
  /** What the count came from. */
  binding: string;
  reason: string;
  inputs: Readonly<Record<string, number | string>>;
}

/** How many instances each window needs. A fall that is smaller than the hysteresis, or that does not last, is not made. */
export function planInstances(
  service: ServiceSpec,
  demand: ServiceDemand,
  region: RegionSpec,
): Result<readonly PlannedInstances[]> {
  const perInstance = perInstanceRps({ ...service.capacity, sloP99Ms: service.slo.p99Ms });
  if (perInstance.rps <= 0) return refused([sloProblem(service)]);
  const { minInstances } = service;
  const maxInstances = service.endpoints.length;
  const needed = demand.rps.map((demandRps) => instancesFor({ demandRps, perInstance, minInstances, maxInstances }));
  const steady = steadyCounts(
    needed.map((one) => one.count),
    region.planning?.hysteresis ?? 0,
  );
  return ok(
    needed.map((one, i): PlannedInstances => {
      const count = steady[i] ?? one.count;
      const demandRps = demand.rps[i] ?? 0;
      const held = count > one.count ? `; stays at ${count}, as a fall to ${one.count} would be small or short` : '';
      return {
        count,
        perInstanceRps: perInstance.rps,
        binding: one.binding,
        reason: `${round(demandRps)} rps (${demand.source}): ${instanceReason(service, one, perInstance)}${held}`,
        inputs: {
          demandRps: round(demandRps),
          perInstanceRps: round(perInstance.rps),
          binding: one.binding,
          perInstanceBinding: perInstance.binding,
          minInstances,
          maxInstances,
        },
      };
    }),
  );
}

function instanceReason(service: ServiceSpec, instances: InstanceCount, perInstance: PerInstance): string {
  const each = `${round(perInstance.rps)} rps an instance`;
  switch (instances.binding) {
    case 'slo':
      return `${each} keep the p99 SLO of ${service.slo.p99Ms} ms`;
    case 'utilisation':
      return `${each} keep it below 80 % busy`;
    case 'minInstances':
      return `${each}; fewer would do, but ${instances.count} is the stated minimum`;
    case 'endpoints':
      return `${each}; all ${instances.count} endpoints are used and ${round(instances.shortfallRps)} rps are left`;
  }
}

function sloProblem(service: ServiceSpec): Problem {
  const { slo, capacity } = service;
  return {
    code: 'slo-below-service-time',
    field: 'slo.p99Ms',
    message: `${slo.p99Ms} ms is not above the mean service time of ${capacity.serviceTimeMs} ms: no number of instances meets it`,
    expected: `more than ${capacity.serviceTimeMs}`,
    fix: 'raise slo.p99Ms or correct capacity.serviceTimeMs',
  };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
