import type { RegionSpec, ServiceSpec } from '../spec/region.js';
import { calibrateCapacity } from './capacity/calibrate.js';
import type { PastDeployment } from './capacity/records/pastDeployment.js';
import { lbPolicy } from './lb.js';

/**
 * The region with its capacities as past deployments showed them, where they showed less than is stated; what they
 * contradict is told. Without records it is the region as it is.
 */
export function calibrated(
  region: RegionSpec,
  records: readonly PastDeployment[],
): { region: RegionSpec; warnings: readonly string[] } {
  if (records.length === 0) return { region, warnings: [] };
  const clientProxies = region.delivery.hosts.length;
  const warnings: string[] = [];
  const services = region.services.map((service): ServiceSpec => {
    const found = calibrateCapacity(service.capacity, records, {
      service: service.name,
      sloP99Ms: service.slo.p99Ms,
      policy: lbPolicy(service, clientProxies).value,
      clientProxies,
    });
    warnings.push(...found.warnings.map((problem) => `${service.name}: ${problem.message}`));
    return { ...service, capacity: { ...service.capacity, ...found.capacity } };
  });
  return { region: { ...region, services }, warnings };
}
