import type { Observation, Saturation, ServiceObservation } from '../spec/observation.js';
import type { ServiceSpec } from '../spec/region.js';
import type { SignalSet } from '../spec/signals.js';

/**
 * The record with what only another source knows (CPU, memory, and ready instances where no proxy knows them). What
 * the proxies measured stays as it is: crossCheck.ts compares, and nothing is mixed.
 */
export function withSignals(observation: Observation, signals: SignalSet): Observation {
  const services = observation.services.map((seen): ServiceObservation => {
    const told = signals.services.find(({ service }) => service === seen.service);
    if (told === undefined) return seen;
    return {
      ...seen,
      cpuCores: told.cpuCores,
      memoryMiB: told.memoryMiB,
      readyInstances: seen.readyInstances ?? told.readyInstances,
      readyInstancesMost: seen.readyInstancesMost ?? told.readyInstances,
    };
  });
  const problems = signals.problems.map((problem) => `${signals.source}: ${problem}`);
  return { ...observation, services, problems: [...observation.problems, ...problems] };
}

/** The record with how full the ready instances are, by the capacity that the region file states. */
export function withSaturation(observation: Observation, specs: readonly ServiceSpec[]): Observation {
  const services = observation.services.map((seen): ServiceObservation => {
    const spec = specs.find(({ name }) => name === seen.service);
    return spec === undefined ? seen : { ...seen, saturation: saturationOf(observation.region, spec, seen) };
  });
  return { ...observation, services };
}

function saturationOf(region: string, { capacity }: ServiceSpec, seen: ServiceObservation): Saturation {
  const ready = seen.readyInstances;
  if (ready === null || ready === 0) return { busy: null, cpu: null };
  // In progress in all regions; those elsewhere take none of our slots. Without answers none says where they are.
  const share = Object.keys(seen.shareByRegion).length === 0 ? null : (seen.shareByRegion[region] ?? 0);
  const busy = seen.active === 0 ? 0 : share === null ? null : (seen.active * share) / (ready * capacity.concurrency);
  const { coresPerInstance } = capacity;
  const cpu =
    seen.cpuCores === null || coresPerInstance === undefined ? null : seen.cpuCores / (ready * coresPerInstance);
  return { busy, cpu };
}
