import type { RegionSpec } from '../spec/region.js';

/** rps that each neighbour can take of a service. */
export function spareOf(region: RegionSpec, service: string): Record<string, number> {
  return Object.fromEntries(region.neighbours.map((neighbour) => [neighbour.name, neighbour.spareRps[service] ?? 0]));
}
