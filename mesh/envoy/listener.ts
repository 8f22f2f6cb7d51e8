import type { SocketSpec } from '../../core/spec/region.js';
import type { Tree } from '../document.js';
import { socketAddress } from './endpoints.js';
import { RATE_LIMIT_FILTER, TYPES } from './names.js';

export interface HttpListener {
  name: string;
  socket: SocketSpec;
  /** Where its routes are; they have its name. */
  routes: Tree;
  /** `transport_socket`, or nothing. */
  tls: { [key: string]: Tree };
  /** Before the limits. */
  filters: readonly Tree[];
  /** Further fields of the connection manager. */
  manager: { [key: string]: Tree };
}

/** One door for HTTP, with the bounds of Envoy's advice for edges. */
export function httpListener({ name, socket, routes, tls, filters, manager }: HttpListener): Tree {
  const typed_config = {
    '@type': TYPES.connectionManager,
    stat_prefix: name,
    codec_type: 'AUTO',
    rds: { route_config_name: name, config_source: routes },
    common_http_protocol_options: { idle_timeout: '3600s' },
    ...manager,
    stream_idle_timeout: '300s',
    request_timeout: '300s',
    http2_protocol_options: {
      max_concurrent_streams: 100,
      initial_stream_window_size: 65_536,
      initial_connection_window_size: 1_048_576,
    },
    http_filters: [
      ...filters,
      // Without a bucket of its own it limits nothing: each route brings the bucket of its service.
      { name: RATE_LIMIT_FILTER, typed_config: { '@type': TYPES.rateLimit, stat_prefix: 'ratelimit' } },
      { name: 'envoy.filters.http.router', typed_config: { '@type': TYPES.router } },
    ],
  };
  return listener(name, socket, { name: 'envoy.filters.network.http_connection_manager', typed_config }, tls);
}

export function listener(name: string, socket: SocketSpec, filter: Tree, tls: { [key: string]: Tree }): Tree {
  return {
    '@type': TYPES.listener,
    name,
    address: socketAddress(socket),
    per_connection_buffer_limit_bytes: 32_768,
    filter_chains: [{ filters: [filter], ...tls }],
  };
}
