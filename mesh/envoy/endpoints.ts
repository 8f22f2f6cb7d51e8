import { OVERPROVISIONING } from '../../core/plan/limits.js';
import { neighboursFor } from '../../core/plan/weights.js';
import type { LiveService } from '../../core/spec/live.js';
import type { EndpointSpec, LocalitySpec, RegionSpec, SocketSpec } from '../../core/spec/region.js';
import { Because, toYaml } from '../document.js';
import type { Tree } from '../document.js';
import { REGION_METADATA, TYPES, placement, unplannedName } from './names.js';

/** The endpoints of one service: our own, zone by zone, and each neighbour's gateway as one endpoint. */
export function renderEndpoints(service: LiveService, region: RegionSpec): string {
  return assignmentFile(loadAssignment(service, region), `where ${service.service} is answered`);
}

/** Endpoints that are watched and get no requests. */
export function renderUnplanned(service: LiveService, region: RegionSpec): string {
  const lb_endpoints = (service.unplanned ?? []).map((socket) => ({ endpoint: { address: socketAddress(socket) } }));
  const locality = { ...region.locality, sub_zone: region.name };
  const assignment = { cluster_name: unplannedName(service.service), endpoints: [{ locality, lb_endpoints }] };
  return assignmentFile(assignment, `where ${service.service} may come up besides`);
}

function assignmentFile(assignment: { [key: string]: Tree }, head: string): string {
  return toYaml({ resources: [{ '@type': TYPES.endpoints, ...assignment }] }, head);
}

interface Place {
  locality: LocalitySpec;
  sockets: readonly SocketSpec[];
}

function loadAssignment(service: LiveService, region: RegionSpec): { [key: string]: Tree } {
  const own = zones(service.endpoints, region.locality);
  const places = new Map<string, readonly Place[]>([
    [region.name, own],
    ...region.neighbours.map((n) => [n.name, [{ locality: n.locality, sockets: [n.gateway] }]] as const),
  ]);
  // Zones share our region's weight by their instances; all weights are scaled so that each stays whole.
  const sizes = own.map(({ sockets }) => sockets.length);
  const unit = sizes.reduce(greatestCommonDivisor, 0) || 1;
  const scale = Math.max(1, service.endpoints.length / unit);
  const endpoints = placement(service, region.name, standbyOf(service, region)).flatMap(
    ({ region: name, percent, priority }) =>
      (places.get(name) ?? []).map(({ locality, sockets }) => {
        const share = name === region.name ? sockets.length / unit : scale;
        const weight = percent > 0 ? percent * share : share;
        return {
          // The sub-zone carries our name of the region, so that two neighbours in one locality stay apart.
          locality: { region: locality.region, zone: locality.zone, sub_zone: name },
          priority,
          load_balancing_weight: new Because(weight, weightReason(service, name, percent)),
          lb_endpoints: sockets.map((socket) => endpoint(socket, name)),
        };
      }),
  );
  return {
    cluster_name: service.service,
    policy: { overprovisioning_factor: Math.round(OVERPROVISIONING * 100) },
    endpoints,
  };
}

/** Who takes over when those with weight fail: whom the plan has proven, or all that have capacity to spare. */
function standbyOf({ service, failover }: LiveService, region: RegionSpec): readonly string[] {
  return failover ?? neighboursFor(service, region.neighbours).map((neighbour) => neighbour.name);
}

/** In the order of their first endpoint. A service without endpoints has one place, so that its weight is said. */
function zones(endpoints: readonly EndpointSpec[], { region, zone }: LocalitySpec): Place[] {
  const names = [...new Set(endpoints.map((one) => one.zone ?? zone))];
  if (names.length === 0) return [{ locality: { region, zone }, sockets: [] }];
  return names.map((name) => ({
    locality: { region, zone: name },
    sockets: endpoints.filter((one) => (one.zone ?? zone) === name),
  }));
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
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
