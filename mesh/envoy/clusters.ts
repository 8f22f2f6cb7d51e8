import type { LiveMesh, LiveService } from '../../core/spec/live.js';
import type { HostSpec } from '../../core/spec/region.js';
import type { SettingField } from '../../core/spec/settings.js';
import { Because, seconds, toYaml } from './document.js';
import type { Tree } from './document.js';
import { FILES, TYPES, watched } from './names.js';

/** Node's HTTP server, among others, closes idle connections after 5 s; we let go first, or requests meet the close. */
const UPSTREAM_IDLE = '4s';

export function renderClusters(live: LiveMesh, host: HostSpec): string {
  return toYaml({ resources: live.services.map((service) => cluster(service, host)) }, 'services as clusters');
}

function cluster(service: LiveService, host: HostSpec): Tree {
  const { settings } = service;
  const { value, ms } = told(service);
  return {
    '@type': TYPES.cluster,
    name: service.service,
    type: 'EDS',
    eds_cluster_config: { eds_config: watched(host, FILES.endpoints(service.service)) },
    connect_timeout: ms('timeout.connectMs'),
    lb_policy: value('lb.policy'),
    ...(settings['lb.policy'] === 'LEAST_REQUEST' ? { least_request_lb_config: { choice_count: 2 } } : {}),
    common_lb_config: {
      // Panic sends requests to endpoints that are known to be down, as those of a region that is not up yet.
      healthy_panic_threshold: { value: 0 },
      // A second endpoint that fails within Envoy's default of 1 s would get requests until its end.
      update_merge_window: '0.1s',
      locality_weighted_lb_config: {},
    },
    // A planned endpoint that is taken away must not stay because it still answers.
    ignore_health_on_host_removal: true,
    per_connection_buffer_limit_bytes: 32_768,
    circuit_breakers: { thresholds: [breakers(service)] },
    outlier_detection: outlierDetection(service),
    health_checks: [healthCheck(service)],
    typed_extension_protocol_options: {
      'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
        '@type': TYPES.httpProtocolOptions,
        common_http_protocol_options: { idle_timeout: UPSTREAM_IDLE },
        explicit_http_config: { http_protocol_options: {} },
      },
    },
  };
}

function breakers(service: LiveService): Tree {
  const { value } = told(service);
  return {
    priority: 'DEFAULT',
    max_connections: value('breaker.maxConnections'),
    max_pending_requests: value('breaker.maxPendingRequests'),
    max_requests: value('breaker.maxRequests'),
    retry_budget: {
      budget_percent: { value: value('retry.budgetPercent') },
      min_retry_concurrency: value('retry.minConcurrency'),
    },
    track_remaining: true,
  };
}

function outlierDetection(service: LiveService): Tree {
  const { value, ms } = told(service);
  return {
    consecutive_5xx: value('outlier.consecutive5xx'),
    enforcing_consecutive_5xx: 100,
    // Both are on by Envoy's defaults and would take endpoints out for reasons that the plan does not know.
    enforcing_success_rate: 0,
    enforcing_consecutive_gateway_failure: 0,
    interval: ms('outlier.intervalMs'),
    base_ejection_time: ms('outlier.baseEjectionMs'),
    max_ejection_percent: value('outlier.maxEjectionPercent'),
  };
}

function healthCheck(service: LiveService): Tree {
  const { value, ms } = told(service);
  return {
    timeout: ms('health.timeoutMs'),
    interval: ms('health.intervalMs'),
    // Envoy checks a cluster without traffic once a minute by default: a new region would look down for that long.
    no_traffic_interval: ms('health.intervalMs'),
    no_traffic_healthy_interval: ms('health.intervalMs'),
    unhealthy_threshold: value('health.unhealthyThreshold'),
    healthy_threshold: value('health.healthyThreshold'),
    // Neighbours' gateways route by Host, so that the check asks the service behind and not the gateway.
    http_health_check: { host: service.service, path: service.healthPath },
  };
}

interface Told {
  value(field: SettingField): Because;
  ms(field: SettingField): Because;
}

/** Settings of a service with their reasons. */
export function told({ settings, reasons }: LiveService): Told {
  return {
    value: (field) => new Because(settings[field], reasons[field]),
    ms: (field) => new Because(seconds(Number(settings[field])), reasons[field]),
  };
}
