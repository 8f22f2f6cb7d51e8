import type { RegionSpec, ServiceSpec } from '../spec/region.js';
import { socketKey } from '../spec/socket.js';

/** How many of a service's endpoints have a proxy of their own in front (`proxy.inbound`), by service. */
export type InboundIndex = ReadonlyMap<string, number>;

export function inboundOf(region: RegionSpec): InboundIndex {
  const stated = new Map<string, Set<string>>();
  for (const host of region.delivery.hosts) {
    for (const { service, socket } of host.proxy.inbound ?? []) {
      const sockets = stated.get(service) ?? new Set<string>();
      stated.set(service, sockets.add(socketKey(socket)));
    }
  }
  const counts = new Map<string, number>();
  if (stated.size === 0) return counts;
  for (const { name, endpoints } of region.services) {
    const sockets = stated.get(name);
    if (sockets === undefined) continue;
    counts.set(name, endpoints.filter((endpoint) => sockets.has(socketKey(endpoint))).length);
  }
  return counts;
}

/** Every endpoint is reached through a proxy that limits it there: then no caller need know how many others call. */
export function isBehindInbound(service: ServiceSpec, inbound: InboundIndex): boolean {
  return service.endpoints.length > 0 && inbound.get(service.name) === service.endpoints.length;
}
