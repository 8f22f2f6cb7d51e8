import type { LiveMesh, LiveService } from '../../core/spec/live.js';
import type { HostSpec, InboundSpec, RegionSpec } from '../../core/spec/region.js';
import { Because, toYaml } from '../document.js';
import type { Tree } from '../document.js';
import { percent, repeatBucket } from './buckets.js';
import { socketAddress } from './endpoints.js';
import { httpListener, listener } from './listener.js';
import {
  ATTEMPT_HEADER,
  FILES,
  OVERLOADED_HEADER,
  RATE_LIMIT_FILTER,
  REPEAT_GRPC_HEADER,
  REPEAT_HEADER,
  TYPES,
  inboundName,
  watched,
} from './names.js';
import { httpProtocolOptions } from './protocols.js';
import { answersMayBeRepeated } from './repeats.js';
import { meshTls } from './tls.js';

/** No limit, where a field must be there and another one limits. */
const PLENTY = 1_000_000;
/** A stream that lives as long as its ends want, but not when nothing passes for so long. */
export const LONG_STREAM_IDLE = '3600s';

/** What one host's proxy receives for instances: the entries whose service runs. */
export function inboundOf(live: LiveMesh, host: HostSpec): { entry: InboundSpec; service: LiveService }[] {
  const services = new Map(live.services.map((service) => [service.service, service]));
  return (host.proxy.inbound ?? []).flatMap((entry) => {
    const service = services.get(entry.service);
    return service === undefined ? [] : [{ entry, service }];
  });
}

/** The door of one instance. Health is asked behind the limits: an instance that is full is not dead. */
export function inboundListener(entry: InboundSpec, service: LiveService, region: RegionSpec, host: HostSpec): Tree {
  const name = inboundName(entry);
  const tls = meshTls(region, host, service.protocol);
  if (service.protocol === 'tcp') {
    const proxy = { '@type': TYPES.tcpProxy, stat_prefix: name, cluster: name };
    return listener(name, entry.socket, { name: 'envoy.filters.network.tcp_proxy', typed_config: proxy }, tls);
  }
  const healthFilter = {
    '@type': TYPES.healthCheck,
    pass_through_mode: true,
    headers: [{ name: ':path', string_match: { exact: service.healthPath } }],
  };
  return httpListener({
    name,
    socket: entry.socket,
    routes: watched(host, FILES.inboundRoutes(entry)),
    tls,
    filters: [{ name: 'envoy.filters.http.health_check', typed_config: healthFilter }],
    manager: { local_reply_config: { mappers: [unserved()] } },
  });
}

/** The instance took no connection, so it has begun nothing: any caller may ask another one. */
function unserved(): Tree {
  return {
    filter: { response_flag_filter: { flags: ['UF'] } },
    headers_to_add: [header(REPEAT_HEADER, '503')],
  };
}

/** At most `inbound.maxRequests` at a time reach the instance; what is more is refused at once and never waits. */
export function inboundCluster(entry: InboundSpec, service: LiveService): Tree {
  const name = inboundName(entry);
  const most = new Because(service.settings['inbound.maxRequests'], service.reasons['inbound.maxRequests']);
  const limits =
    service.protocol === 'tcp'
      ? { max_connections: most, max_pending_requests: PLENTY }
      : // Requests that wait for a new connection are counted apart: all that may run may be waiting for theirs.
        { max_connections: PLENTY, max_pending_requests: most.value, max_requests: most };
  return {
    '@type': TYPES.cluster,
    name,
    type: 'STATIC',
    connect_timeout: '1s',
    per_connection_buffer_limit_bytes: 32_768,
    circuit_breakers: {
      thresholds: [
        { priority: 'DEFAULT', ...limits, max_retries: 0, track_remaining: true },
        { priority: 'HIGH', max_connections: PLENTY, max_requests: PLENTY },
      ],
    },
    load_assignment: {
      cluster_name: name,
      endpoints: [{ lb_endpoints: [{ endpoint: { address: socketAddress(entry.app) } }] }],
    },
    ...(service.protocol === 'tcp' ? {} : httpProtocolOptions(service.protocol, false)),
  };
}

export function renderInboundRoutes(entry: InboundSpec, service: LiveService): string {
  const name = inboundName(entry);
  const cluster = { cluster: name, timeout: '0s' };
  // The caller's time-out ends the request here too: it closes the stream.
  const websocket = { upgrade_configs: [{ upgrade_type: 'websocket' }], idle_timeout: LONG_STREAM_IDLE };
  const route = { ...cluster, ...(service.protocol === 'websocket' ? websocket : {}) };
  const repeated = [
    { name: ATTEMPT_HEADER, present_match: true },
    { name: ATTEMPT_HEADER, string_match: { exact: '1' }, invert_match: true },
  ];
  const routes: Tree = [
    {
      name: 'health',
      match: { path: service.healthPath.replace(/\?.*$/, '') },
      route: { ...cluster, priority: 'HIGH' },
    },
    {
      name: 'repeated',
      match: { prefix: '/', headers: repeated },
      route,
      typed_per_filter_config: { [RATE_LIMIT_FILTER]: repeatLimit(service) },
    },
    { name: 'first', match: { prefix: '/' }, route },
  ];
  const virtual_hosts = [{ name, domains: ['*'], routes, ...marks(service) }];
  return toYaml(
    { resources: [{ '@type': TYPES.routes, name, validate_clusters: true, virtual_hosts }] },
    `what reaches ${service.service} at port ${entry.app.port}`,
  );
}

/** Answers that callers may ask for again carry their status; whether it is a failure they see by it. */
function marks(service: LiveService): { [key: string]: Tree } {
  // What an instance says of this itself is not listened to.
  const ours = { response_headers_to_remove: [REPEAT_HEADER, REPEAT_GRPC_HEADER] };
  if (!answersMayBeRepeated(service)) return ours;
  const mark =
    service.protocol === 'grpc'
      ? header(REPEAT_GRPC_HEADER, '%RESP(grpc-status)%')
      : header(REPEAT_HEADER, '%RESPONSE_CODE%');
  return { ...ours, response_headers_to_add: [mark] };
}

function repeatLimit(live: LiveService): Tree {
  return {
    '@type': TYPES.rateLimit,
    stat_prefix: `inbound_repeats_${live.service}`,
    token_bucket: repeatBucket(live),
    filter_enabled: percent(100),
    filter_enforced: percent(100),
    // What is repeated has failed before; for its caller it fails once more, and is not asked a third time.
    status: { code: 503 },
    response_headers_to_add: [header(OVERLOADED_HEADER, 'true')],
  };
}

function header(key: string, value: string): Tree {
  return { header: { key, value }, append_action: 'OVERWRITE_IF_EXISTS_OR_ADD' };
}
