import type { LiveService } from '../../core/spec/live.js';
import type { HostSpec, InboundSpec } from '../../core/spec/region.js';
import type { Tree } from '../document.js';

/** Names that rendering, read-back and statistics share. */
export const INGRESS = 'ingress';
export const MESH = 'mesh';

export const TYPE = 'type.googleapis.com/';
export const TYPES = {
  cluster: `${TYPE}envoy.config.cluster.v3.Cluster`,
  endpoints: `${TYPE}envoy.config.endpoint.v3.ClusterLoadAssignment`,
  listener: `${TYPE}envoy.config.listener.v3.Listener`,
  routes: `${TYPE}envoy.config.route.v3.RouteConfiguration`,
  connectionManager: `${TYPE}envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager`,
  rateLimit: `${TYPE}envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit`,
  router: `${TYPE}envoy.extensions.filters.http.router.v3.Router`,
  statsLogger: `${TYPE}envoy.extensions.access_loggers.stats.v3.Config`,
  previousHosts: `${TYPE}envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate`,
  previousPriorities: `${TYPE}envoy.extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig`,
  httpProtocolOptions: `${TYPE}envoy.extensions.upstreams.http.v3.HttpProtocolOptions`,
  downstreamConnections: `${TYPE}envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig`,
  fixedHeap: `${TYPE}envoy.extensions.resource_monitors.fixed_heap.v3.FixedHeapConfig`,
  headerMutation: `${TYPE}envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation`,
  healthCheck: `${TYPE}envoy.extensions.filters.http.health_check.v3.HealthCheck`,
  tcpProxy: `${TYPE}envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy`,
  secret: `${TYPE}envoy.extensions.transport_sockets.tls.v3.Secret`,
  downstreamTls: `${TYPE}envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext`,
  upstreamTls: `${TYPE}envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext`,
} as const;

export const RATE_LIMIT_FILTER = 'envoy.filters.http.local_ratelimit';

/** Prefix of the statistics that the listeners keep, and the metadata of endpoints that tells them the region. */
export const STATS_PREFIX = 'psmg';
export const REGION_METADATA = 'psmg';

export const FILES = {
  bootstrap: 'bootstrap.yaml',
  listeners: 'dyn/lds.yaml',
  clusters: 'dyn/cds.yaml',
  ingressRoutes: 'dyn/rds-ingress.yaml',
  meshRoutes: 'dyn/rds-mesh.yaml',
  endpoints: (cluster: string): string => `dyn/eds-${cluster}.yaml`,
  inboundRoutes: ({ service, socket }: InboundSpec): string => `dyn/rds-inbound-${service}-${socket.port}.yaml`,
  secret: (name: string): string => `dyn/sds-${name}.yaml`,
} as const;

/** No service can have such a name: an underscore is in no DNS label. */
const INBOUND_PREFIX = 'inbound_';
const UNPLANNED_SUFFIX = '_unplanned';

/** Listener, routes and cluster of one instance's own proxy. */
export function inboundName({ service, socket }: InboundSpec): string {
  return `${INBOUND_PREFIX}${service}_${socket.port}`;
}

/** Cluster of the endpoints of a service that are watched and never asked. */
export function unplannedName(service: string): string {
  return `${service}${UNPLANNED_SUFFIX}`;
}

export interface ClusterRole {
  role: 'service' | 'unplanned' | 'inbound';
  /** Of an inbound cluster its whole name. */
  name: string;
}

/** What a cluster is there for, by its name. */
export function roleOf(cluster: string): ClusterRole {
  if (cluster.startsWith(INBOUND_PREFIX)) return { role: 'inbound', name: cluster };
  if (cluster.endsWith(UNPLANNED_SUFFIX))
    return { role: 'unplanned', name: cluster.slice(0, -UNPLANNED_SUFFIX.length) };
  return { role: 'service', name: cluster };
}

/** Envoy counts attempts in it; above 1 a request is a repeated one. */
export const ATTEMPT_HEADER = 'x-envoy-attempt-count';
/** Status that an instance's proxy lets its callers repeat; the first proxy that could repeat it takes it off. */
export const REPEAT_HEADER = 'x-psmg-repeat';
/** The same for gRPC, whose failures are answered with status 200. */
export const REPEAT_GRPC_HEADER = 'x-psmg-repeat-grpc';
export const OVERLOADED_HEADER = 'x-envoy-overloaded';

/** Prefix of the statistics of a service's rate limit; both listeners count into it. */
export function rateLimitStat(service: string): string {
  return `ratelimit_${service}`;
}

/** A file that Envoy reads again whenever something is moved into the folder. */
export function watched(host: HostSpec, file: string): Tree {
  const path = `${host.directory}/${file}`;
  return {
    path_config_source: { path, watched_directory: { path: `${host.directory}/dyn` } },
    resource_api_version: 'V3',
  };
}

export interface PlacedRegion {
  region: string;
  percent: number;
  /** 0: shares requests by weight. From 1: takes over only as those before it fail, the nearest first. */
  priority: number;
}

/**
 * Where the requests to a service go. Regions with weight share priority 0. One without weight would still get
 * requests from Envoy's balancer in the same priority when the others fail, in no order that anybody chose; so each
 * stands by in a priority of its own: our region first, then the neighbours in the order given.
 */
export function placement(service: LiveService, own: string, standby: readonly string[]): PlacedRegion[] {
  const weighted = Object.entries(service.weights).filter(([, percent]) => percent > 0);
  const waiting = [own, ...standby].filter((region) => !((service.weights[region] ?? 0) > 0));
  return [
    ...weighted.map(([region, percent]) => ({ region, percent, priority: 0 })),
    ...waiting.map((region, i) => ({ region, percent: 0, priority: i + (weighted.length > 0 ? 1 : 0) })),
  ];
}
