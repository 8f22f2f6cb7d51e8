import type { LiveMesh, LiveService } from '../../core/spec/live.js';
import type { HostSpec, RegionSpec } from '../../core/spec/region.js';
import type { LbPolicy } from '../../core/spec/settings.js';
import { seconds, toYaml } from '../document.js';
import type { Tree } from '../document.js';
import { told } from '../told.js';
import { inboundCluster, inboundOf } from './inbound.js';
import { FILES, TYPES, unplannedName, watched } from './names.js';
import { healthQuestion, httpProtocolOptions, servicesBehindProxies } from './protocols.js';
import { upstreamTls } from './tls.js';

export function renderClusters(live: LiveMesh, region: RegionSpec, host: HostSpec): string {
  const behindProxies = servicesBehindProxies(region);
  const resources = [
    ...live.services.map((service) => cluster(service, region, host, behindProxies.has(service.service))),
    ...live.services.filter(hasUnplanned).map((service) => unplannedCluster(service, region, host)),
    ...inboundOf(live, host).map(({ entry, service }) => inboundCluster(entry, service)),
  ];
  return toYaml({ resources }, 'services as clusters');
}

export function hasUnplanned({ unplanned }: LiveService): boolean {
  return unplanned !== undefined && unplanned.length > 0;
}

function cluster(service: LiveService, region: RegionSpec, host: HostSpec, behindProxy: boolean): Tree {
  const { protocol } = service;
  const { value, ms } = told(service);
  return {
    '@type': TYPES.cluster,
    name: service.service,
    type: 'EDS',
    eds_cluster_config: { eds_config: watched(host, FILES.endpoints(service.service)) },
    connect_timeout: ms('timeout.connectMs'),
    lb_policy: value('lb.policy'),
    ...balancing(service),
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
    ...upstreamTls(region, host, service.service, protocol),
    ...(protocol === 'tcp' ? {} : httpProtocolOptions(protocol, behindProxy)),
  };
}

/** No route leads there: only the health of its endpoints is of interest. */
function unplannedCluster(service: LiveService, region: RegionSpec, host: HostSpec): Tree {
  const { protocol } = service;
  const name = unplannedName(service.service);
  return {
    '@type': TYPES.cluster,
    name,
    type: 'EDS',
    eds_cluster_config: { eds_config: watched(host, FILES.endpoints(name)) },
    connect_timeout: seconds(service.settings['timeout.connectMs']),
    common_lb_config: { healthy_panic_threshold: { value: 0 } },
    ignore_health_on_host_removal: true,
    health_checks: [healthCheck({ ...service, reasons: {} })],
    ...upstreamTls(region, host, service.service, protocol),
  };
}

/** Policies in which the share of a new endpoint can grow. */
export function canStartSlowly(policy: LbPolicy): boolean {
  return policy === 'LEAST_REQUEST' || policy === 'ROUND_ROBIN';
}

function balancing(service: LiveService): { [key: string]: Tree } {
  const policy = service.settings['lb.policy'];
  const slow = canStartSlowly(policy) && service.settings['lb.slowStartMs'] > 0;
  const start = slow ? { slow_start_config: { slow_start_window: told(service).ms('lb.slowStartMs') } } : {};
  if (policy === 'LEAST_REQUEST') return { least_request_lb_config: { choice_count: 2, ...start } };
  return policy === 'ROUND_ROBIN' && slow ? { round_robin_lb_config: start } : {};
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
    ...healthQuestion(service),
  };
}
