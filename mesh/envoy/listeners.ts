import type { HostSpec, SocketSpec } from '../../core/spec/region.js';
import { toYaml } from './document.js';
import type { Tree } from './document.js';
import { socketAddress } from './endpoints.js';
import { FILES, INGRESS, MESH, RATE_LIMIT_FILTER, REGION_METADATA, STATS_PREFIX, TYPES, watched } from './names.js';

/** Two doors: users come in at `ingress`, services of the region (and neighbours) call each other at `mesh`. */
export function renderListeners(host: HostSpec): string {
  const { ingress, mesh } = host.proxy;
  const edge = {
    use_remote_address: true,
    normalize_path: true,
    merge_slashes: true,
    path_with_escaped_slashes_action: 'UNESCAPE_AND_REDIRECT',
  };
  const resources = [
    listener(INGRESS, ingress, watched(host, FILES.ingressRoutes), edge),
    listener(MESH, mesh, watched(host, FILES.meshRoutes), {}),
  ];
  return toYaml({ resources }, 'where requests come in');
}

function listener(name: string, socket: SocketSpec, routes: Tree, extra: { [key: string]: Tree }): Tree {
  return {
    '@type': TYPES.listener,
    name,
    address: socketAddress(socket),
    per_connection_buffer_limit_bytes: 32_768,
    filter_chains: [
      {
        filters: [
          {
            name: 'envoy.filters.network.http_connection_manager',
            typed_config: {
              '@type': TYPES.connectionManager,
              stat_prefix: name,
              codec_type: 'AUTO',
              rds: { route_config_name: name, config_source: routes },
              ...extra,
              common_http_protocol_options: {
                idle_timeout: '3600s',
                headers_with_underscores_action: name === INGRESS ? 'REJECT_REQUEST' : 'ALLOW',
              },
              access_log: [requestStatistics()],
              stream_idle_timeout: '300s',
              request_timeout: '300s',
              http2_protocol_options: {
                max_concurrent_streams: 100,
                initial_stream_window_size: 65_536,
                initial_connection_window_size: 1_048_576,
              },
              http_filters: [
                // Without a bucket of its own it limits nothing: each route brings the bucket of its service.
                { name: RATE_LIMIT_FILTER, typed_config: { '@type': TYPES.rateLimit, stat_prefix: 'ratelimit' } },
                { name: 'envoy.filters.http.router', typed_config: { '@type': TYPES.router } },
              ],
            },
          },
        ],
      },
    ],
  };
}

/**
 * Counts every request once, when it has ended, as its caller saw it: by service, status, Envoy's response flags and
 * region of the endpoint. Envoy's own counters by status and its latency histograms belong to a cluster and begin
 * anew whenever a breaker changes; these belong to the listener, which no setting changes. Health checks of
 * neighbours are left out.
 */
function requestStatistics(): Tree {
  const tags = [
    { name: 'service', value_format: '%ROUTE_NAME%' },
    { name: 'code', value_format: '%RESPONSE_CODE%' },
    { name: 'flags', value_format: '%RESPONSE_FLAGS%' },
  ];
  const region = { name: 'region', value_format: `%UPSTREAM_METADATA(${REGION_METADATA}:region)%` };
  return {
    name: 'envoy.access_loggers.stats',
    filter: {
      header_filter: {
        header: {
          name: 'user-agent',
          string_match: { exact: 'Envoy/HC' },
          invert_match: true,
          // Otherwise a request without the header is left out as well.
          treat_missing_header_as_empty: true,
        },
      },
    },
    typed_config: {
      '@type': TYPES.statsLogger,
      stats_scope: { prefix: STATS_PREFIX },
      counters: [{ stat: { name: 'requests', tags: [...tags, region] }, value_fixed: 1 }],
      histograms: [
        {
          stat: { name: 'latency_us', tags },
          unit: 'Microseconds',
          value_format: '%COMMON_DURATION(DS_RX_BEG:DS_TX_END:us)%',
        },
      ],
    },
  };
}
