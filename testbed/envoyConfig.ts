import type { SocketSpec } from '../core/spec/region.js';

export interface StaticMesh {
  region: string;
  zone: string;
  admin: SocketSpec;
  /** Users come in here, by path. */
  ingress: SocketSpec;
  /** The region's own services call each other here, by `Host: <service>`. */
  mesh: SocketSpec;
  /** Other regions send requests here, by `Host: <service>`; `delayMs` stands for the network in between. */
  gateway: SocketSpec & { delayMs: number };
  services: readonly StaticService[];
}

export interface StaticService {
  name: string;
  pathPrefix?: string;
  healthPath: string;
  endpoints: readonly SocketSpec[];
  timeoutMs: number;
}

const TYPE = 'type.googleapis.com/';

/** Bootstrap (JSON) of an Envoy that serves a settled region: everything local, nothing dynamic. */
export function staticBootstrap(mesh: StaticMesh): Record<string, unknown> {
  return {
    node: { id: `${mesh.region}-edge`, cluster: mesh.region, locality: { region: mesh.region, zone: mesh.zone } },
    admin: { address: socketAddress(mesh.admin) },
    static_resources: {
      listeners: [
        listener('ingress', mesh.ingress, [pathHost(mesh.services)], 0),
        listener('mesh', mesh.mesh, mesh.services.map(serviceHost), 0),
        listener('gateway', mesh.gateway, mesh.services.map(serviceHost), mesh.gateway.delayMs),
      ],
      clusters: mesh.services.map(cluster),
    },
  };
}

function pathHost(services: readonly StaticService[]): Record<string, unknown> {
  const routes = services.flatMap((s) =>
    s.pathPrefix === undefined ? [] : [{ match: { path_separated_prefix: s.pathPrefix }, route: route(s) }],
  );
  return { name: 'users', domains: ['*'], routes };
}

function serviceHost(service: StaticService): Record<string, unknown> {
  const domains = [service.name, `${service.name}:*`];
  return { name: service.name, domains, routes: [{ match: { prefix: '/' }, route: route(service) }] };
}

function route(service: StaticService): Record<string, unknown> {
  return {
    cluster: service.name,
    timeout: duration(service.timeoutMs),
    retry_policy: { retry_on: 'connect-failure,refused-stream,reset-before-request', num_retries: 1 },
  };
}

function listener(
  name: string,
  socket: SocketSpec,
  virtualHosts: readonly Record<string, unknown>[],
  delayMs: number,
): Record<string, unknown> {
  const delay = {
    name: 'envoy.filters.http.fault',
    typed_config: {
      '@type': `${TYPE}envoy.extensions.filters.http.fault.v3.HTTPFault`,
      delay: { fixed_delay: duration(delayMs), percentage: { numerator: 100, denominator: 'HUNDRED' } },
    },
  };
  const router = {
    name: 'envoy.filters.http.router',
    typed_config: { '@type': `${TYPE}envoy.extensions.filters.http.router.v3.Router` },
  };
  const manager = {
    '@type': `${TYPE}envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager`,
    stat_prefix: name,
    route_config: { name, virtual_hosts: virtualHosts },
    http_filters: delayMs > 0 ? [delay, router] : [router],
  };
  const filter = { name: 'envoy.filters.network.http_connection_manager', typed_config: manager };
  return { name, address: socketAddress(socket), filter_chains: [{ filters: [filter] }] };
}

function cluster(service: StaticService): Record<string, unknown> {
  const endpoints = service.endpoints.map((socket) => ({ endpoint: { address: socketAddress(socket) } }));
  const most = { max_connections: 4096, max_pending_requests: 4096, max_requests: 4096 };
  return {
    name: service.name,
    type: 'STATIC',
    connect_timeout: '0.5s',
    lb_policy: 'LEAST_REQUEST',
    circuit_breakers: { thresholds: [most] },
    health_checks: [
      {
        timeout: '1s',
        interval: '1s',
        no_traffic_interval: '1s',
        unhealthy_threshold: 2,
        healthy_threshold: 1,
        http_health_check: { path: service.healthPath, host: service.name },
      },
    ],
    load_assignment: { cluster_name: service.name, endpoints: [{ lb_endpoints: endpoints }] },
  };
}

function socketAddress(socket: SocketSpec): Record<string, unknown> {
  return { socket_address: { address: socket.address, port_value: socket.port } };
}

function duration(ms: number): string {
  return `${ms / 1000}s`;
}
