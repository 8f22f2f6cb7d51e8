type Tree = string | number | boolean | null | Tree[] | { [key: string]: Tree };
type Mapping = { [key: string]: Tree };

const TYPE = 'type.googleapis.com/';
const typed = (type: string, fields: Mapping = {}): Mapping => ({ '@type': TYPE + type, ...fields });
const extension = (name: string, type: string, fields: Mapping = {}): Mapping => ({
  name,
  typed_config: typed(type, fields),
});
const socket = (port: number): Mapping => ({ socket_address: { address: '127.0.0.1', port_value: port } });
const secret = (name: string): Mapping => ({
  name,
  sds_config: { path_config_source: { path: '/dev/null' }, resource_api_version: 'V3' },
});

/** A configuration that Envoy runs, with what a region's proxy may hold beyond the example's: TLS by files, TCP, policies. */
export function richConfig(): Mapping {
  return {
    node: { id: 'one', cluster: 'edge', locality: { region: 'north', zone: 'a' } },
    admin: { address: socket(9901) },
    overload_manager: {
      refresh_interval: '0.25s',
      resource_monitors: [
        extension(
          'envoy.resource_monitors.fixed_heap',
          'envoy.extensions.resource_monitors.fixed_heap.v3.FixedHeapConfig',
          {
            max_heap_size_bytes: 1_000_000_000,
          },
        ),
      ],
      actions: [
        {
          name: 'envoy.overload_actions.stop_accepting_requests',
          triggers: [{ name: 'envoy.resource_monitors.fixed_heap', threshold: { value: 0.95 } }],
        },
      ],
    },
    layered_runtime: { layers: [{ name: 'static', static_layer: { 'psmg.one': 1 } }] },
    static_resources: { listeners: [httpsListener(), tcpListener()], clusters: [httpCluster(), tcpCluster()] },
  };
}

function httpsListener(): Mapping {
  return {
    name: 'https',
    address: socket(8443),
    listener_filters: [
      extension(
        'envoy.filters.listener.tls_inspector',
        'envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector',
      ),
    ],
    per_connection_buffer_limit_bytes: 32_768,
    filter_chains: [
      {
        filter_chain_match: { server_names: ['shop.example'], transport_protocol: 'tls' },
        transport_socket: extension(
          'envoy.transport_sockets.tls',
          'envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext',
          {
            require_client_certificate: true,
            session_timeout: '600s',
            common_tls_context: {
              alpn_protocols: ['h2', 'http/1.1'],
              tls_params: { tls_minimum_protocol_version: 'TLSv1_2' },
              tls_certificate_sds_secret_configs: [secret('server')],
              validation_context_sds_secret_config: secret('roots'),
            },
          },
        ),
        filters: [connectionManager()],
      },
    ],
  };
}

function connectionManager(): Mapping {
  return extension(
    'envoy.filters.network.http_connection_manager',
    'envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
    {
      stat_prefix: 'https',
      codec_type: 'AUTO',
      server_header_transformation: 'PASS_THROUGH',
      forward_client_cert_details: 'SANITIZE_SET',
      set_current_client_cert_details: { uri: true },
      upgrade_configs: [{ upgrade_type: 'websocket' }],
      common_http_protocol_options: { idle_timeout: '3600s', max_headers_count: 100 },
      http2_protocol_options: { max_concurrent_streams: 100, initial_stream_window_size: 65_536 },
      route_config: { name: 'local', virtual_hosts: [{ name: 'all', domains: ['*'], routes: routes() }] },
      access_log: [
        extension('envoy.access_loggers.file', 'envoy.extensions.access_loggers.file.v3.FileAccessLog', {
          path: '/dev/null',
          log_format: { text_format_source: { inline_string: '%RESPONSE_CODE%' } },
        }),
      ],
      http_filters: [
        extension('envoy.filters.http.health_check', 'envoy.extensions.filters.http.health_check.v3.HealthCheck', {
          pass_through_mode: false,
          headers: [{ name: ':path', string_match: { exact: '/healthz' } }],
        }),
        extension('envoy.filters.http.rbac', 'envoy.extensions.filters.http.rbac.v3.RBAC', {
          rules: {
            action: 'ALLOW',
            policies: {
              callers: {
                permissions: [{ header: { name: 'x-one', range_match: { start: 1, end: 3 } } }],
                principals: [{ authenticated: { principal_name: { suffix: '/front' } } }],
              },
            },
          },
        }),
        extension('envoy.filters.http.ext_authz', 'envoy.extensions.filters.http.ext_authz.v3.ExtAuthz', {
          transport_api_version: 'V3',
          failure_mode_allow: true,
          grpc_service: { envoy_grpc: { cluster_name: 'stock' }, timeout: '0.2s' },
        }),
        extension('envoy.filters.http.grpc_stats', 'envoy.extensions.filters.http.grpc_stats.v3.FilterConfig', {
          emit_filter_state: true,
        }),
        extension('envoy.filters.http.router', 'envoy.extensions.filters.http.router.v3.Router'),
      ],
    },
  );
}

function routes(): Tree[] {
  return [
    {
      name: 'front',
      match: { prefix: '/', headers: [{ name: 'x-attempt', string_match: { prefix: '1', ignore_case: true } }] },
      route: {
        weighted_clusters: {
          clusters: [
            { name: 'front', weight: 70 },
            { name: 'stock', weight: 30 },
          ],
        },
        timeout: '2s',
        hash_policy: [{ header: { header_name: 'x-user' } }],
        retry_policy: {
          retry_on: 'connect-failure,reset',
          num_retries: 1,
          per_try_timeout: '0.5s',
          retry_back_off: { base_interval: '0.025s', max_interval: '0.25s' },
        },
      },
      request_headers_to_add: [{ header: { key: 'x-region', value: 'north' }, append_action: 'ADD_IF_ABSENT' }],
      typed_per_filter_config: {
        'envoy.filters.http.rbac': typed('envoy.extensions.filters.http.rbac.v3.RBACPerRoute'),
      },
    },
    { match: { path: '/gone' }, direct_response: { status: 410, body: { inline_string: 'gone' } } },
  ];
}

function tcpListener(): Mapping {
  return {
    name: 'tcp',
    address: socket(5432),
    filter_chains: [
      {
        filters: [
          extension(
            'envoy.filters.network.connection_limit',
            'envoy.extensions.filters.network.connection_limit.v3.ConnectionLimit',
            {
              stat_prefix: 'tcp',
              max_connections: 100,
              delay: '0.1s',
            },
          ),
          extension('envoy.filters.network.tcp_proxy', 'envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy', {
            stat_prefix: 'tcp',
            cluster: 'stock',
            idle_timeout: '600s',
            max_connect_attempts: 2,
          }),
        ],
      },
    ],
  };
}

function endpoints(name: string, port: number): Mapping {
  return {
    cluster_name: name,
    policy: { overprovisioning_factor: 140 },
    endpoints: [
      {
        locality: { region: 'north', zone: 'a' },
        load_balancing_weight: 70,
        priority: 0,
        lb_endpoints: [{ endpoint: { address: socket(port) }, health_status: 'HEALTHY', load_balancing_weight: 2 }],
      },
    ],
  };
}

function httpCluster(): Mapping {
  const slowStart = { slow_start_window: '10s', min_weight_percent: { value: 10 } };
  return {
    name: 'front',
    type: 'STATIC',
    connect_timeout: '0.5s',
    load_assignment: endpoints('front', 9100),
    load_balancing_policy: {
      policies: [
        {
          typed_extension_config: extension(
            'envoy.load_balancing_policies.least_request',
            'envoy.extensions.load_balancing_policies.least_request.v3.LeastRequest',
            { choice_count: 2, slow_start_config: slowStart, locality_lb_config: { locality_weighted_lb_config: {} } },
          ),
        },
      ],
    },
    circuit_breakers: {
      thresholds: [
        {
          priority: 'DEFAULT',
          max_connections: 100,
          max_requests: 50,
          retry_budget: { budget_percent: { value: 20 }, min_retry_concurrency: 3 },
          track_remaining: true,
        },
      ],
    },
    outlier_detection: { consecutive_5xx: 5, interval: '5s', base_ejection_time: '30s', max_ejection_percent: 50 },
    health_checks: [
      {
        timeout: '1s',
        interval: '5s',
        unhealthy_threshold: 3,
        healthy_threshold: 2,
        http_health_check: { path: '/healthz', expected_statuses: [{ start: 200, end: 300 }] },
      },
    ],
    typed_extension_protocol_options: {
      'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': typed(
        'envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
        {
          explicit_http_config: { http2_protocol_options: { max_concurrent_streams: 100 } },
          common_http_protocol_options: { max_requests_per_connection: 1000 },
        },
      ),
    },
    transport_socket: extension(
      'envoy.transport_sockets.tls',
      'envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext',
      {
        sni: 'front.shop.example',
        common_tls_context: {
          tls_certificate_sds_secret_configs: [secret('client')],
          validation_context_sds_secret_config: secret('roots'),
        },
      },
    ),
  };
}

function tcpCluster(): Mapping {
  return {
    name: 'stock',
    type: 'STRICT_DNS',
    connect_timeout: '0.5s',
    dns_lookup_family: 'V4_ONLY',
    lb_policy: 'RING_HASH',
    ring_hash_lb_config: { minimum_ring_size: 1024, hash_function: 'XX_HASH' },
    common_lb_config: { healthy_panic_threshold: { value: 0 }, locality_weighted_lb_config: {} },
    load_assignment: endpoints('stock', 9300),
    upstream_connection_options: { tcp_keepalive: { keepalive_time: 60 } },
  };
}
