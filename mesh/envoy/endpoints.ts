import { OVERPROVISIONING } from '../../core/plan/limits.js';
import { neighboursFor } from '../../core/plan/weights.js';
import type { LiveService } from '../../core/spec/live.js';
import type { LocalitySpec, RegionSpec, SocketSpec } from '../../core/spec/region.js';
import { Because, toYaml } from './document.js';
import type { Tree } from './document.js';
import { REGION_METADATA, TYPES, placement } from './names.js';

/** The endpoints of one service: our own, and each neighbour's gateway as one endpoint. */
export function renderEndpoints(service: LiveService, region: RegionSpec): string {
  const assignment = { '@type': TYPES.endpoints, ...loadAssignment(service, region) };
  return toYaml({ resources: [assignment] }, `where ${service.service} is answered`);
}

function loadAssignment(service: LiveService, region: RegionSpec): { [key: string]: Tree } {
  const places = new Map<string, { locality: LocalitySpec; sockets: readonly SocketSpec[] }>([
    [region.name, { locality: region.locality, sockets: service.endpoints }],
    ...region.neighbours.map((n) => [n.name, { locality: n.locality, sockets: [n.gateway] }] as const),
  ]);
  const standby = neighboursFor(service.service, region.neighbours).map((neighbour) => neighbour.name);
  const endpoints = placement(service, region.name, standby).flatMap(({ region: name, percent, priority }) => {
    const place = places.get(name);
    if (place === undefined) return [];
    const weight = percent > 0 ? percent : 1;
    return [
      {
        // The sub-zone carries our name of the region, so that two neighbours in one locality stay apart.
        locality: { region: place.locality.region, zone: place.locality.zone, sub_zone: name },
        priority,
        load_balancing_weight: new Because(weight, weightReason(service, name, percent)),
        lb_endpoints: place.sockets.map((socket) => endpoint(socket, name)),
      },
    ];
  });
  return {
    cluster_name: service.service,
    policy: { overprovisioning_factor: Math.round(OVERPROVISIONING * 100) },
    endpoints,
  };
}

function weightReason(service: LiveService, region: string, percent: number): string {
  const reason = service.reasons[`weight.${region}`] ?? '';
  return percent > 0 ? reason : `alone in its priority, 0 % of requests: ${reason}`;
}

function endpoint(socket: SocketSpec, region: string): Tree {
  return {
    endpoint: { address: socketAddress(socket) },
    metadata: { filter_metadata: { [REGION_METADATA]: { region } } },
  };
}

export function socketAddress(socket: SocketSpec): Tree {
  return { socket_address: { address: socket.address, port_value: socket.port } };
}
