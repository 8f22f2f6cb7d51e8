import type { LiveMesh } from '../../core/spec/live.js';
import type { HostSpec, RegionSpec } from '../../core/spec/region.js';
import { toYaml } from '../document.js';
import type { Tree } from '../document.js';
import { inboundListener, inboundOf } from './inbound.js';
import { httpListener } from './listener.js';
import { FILES, INGRESS, MESH, REGION_METADATA, STATS_PREFIX, TYPES, watched } from './names.js';
import { ingressTls, meshTls } from './tls.js';

/**
 * Users come in at `ingress`; services of the region (and neighbours) call each other at `mesh`; and each instance
 * on the host that is called through this proxy has a door of its own.
 */
export function renderListeners(live: LiveMesh, region: RegionSpec, host: HostSpec): string {
  const { ingress, mesh } = host.proxy;
  const resources = [
    httpListener({
      name: INGRESS,
      socket: ingress,
      routes: watched(host, FILES.ingressRoutes),
      tls: ingressTls(region, host),
      filters: [],
      manager: edge(),
    }),
    httpListener({
      name: MESH,
      socket: mesh,
      routes: watched(host, FILES.meshRoutes),
      tls: meshTls(region, host),
      filters: [],
      manager: { access_log: [requestStatistics()] },
    }),
    ...inboundOf(live, host).map(({ entry, service }) => inboundListener(entry, service, region, host)),
  ];
  return toYaml({ resources }, 'where requests come in');
}

/** By these headers whoever sends a request chooses how often it is repeated and how long it may take. */
const STEERING = [
  'x-envoy-retry-on',
  'x-envoy-retry-grpc-on',
  'x-envoy-max-retries',
  'x-envoy-retriable-status-codes',
  'x-envoy-retriable-header-names',
  'x-envoy-upstream-rq-timeout-ms',
  'x-envoy-upstream-rq-per-try-timeout-ms',
  'x-envoy-hedge-on-per-try-timeout',
  'x-envoy-attempt-count',
];

function edge(): { [key: string]: Tree } {
  return {
    use_remote_address: true,
    normalize_path: true,
    merge_slashes: true,
    path_with_escaped_slashes_action: 'UNESCAPE_AND_REDIRECT',
    // Envoy strips some of them by itself, but not of senders in private networks.
    early_header_mutation_extensions: [
      {
        name: 'envoy.http.early_header_mutation.header_mutation',
        typed_config: { '@type': TYPES.headerMutation, mutations: STEERING.map((name) => ({ remove: name })) },
      },
    ],
    common_http_protocol_options: { idle_timeout: '3600s', headers_with_underscores_action: 'REJECT_REQUEST' },
    access_log: [requestStatistics()],
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
