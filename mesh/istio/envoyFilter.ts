import type { LiveMesh, LiveService } from '../../core/spec/live.js';
import type { RegionSpec } from '../../core/spec/region.js';
import type { Tree } from '../document.js';
import { bucketOf, percent, rateLimit, repeatBucket } from '../envoy/buckets.js';
import type { Bucket } from '../envoy/buckets.js';
import { ATTEMPT_HEADER, OVERLOADED_HEADER, RATE_LIMIT_FILTER, TYPES } from '../envoy/names.js';
import type { Fields, IstioObject, IstioPlace } from './names.js';
import { EDGE, WORKLOAD_LABEL, isTcp } from './names.js';
import { edgeServices } from './virtualService.js';

/** Name of the second local rate limit at a callee, the one of repeated requests. */
export const REPEAT_FILTER = 'psmg.repeat_limit';
const ROUTER = 'envoy.filters.http.router';
const MANAGER = 'envoy.filters.network.http_connection_manager';

type Context = 'GATEWAY' | 'SIDECAR_INBOUND' | 'SIDECAR_OUTBOUND';

/** Rate limits at the edge: a bucket for each service that users reach, on its route. */
export function edgeRateLimits(live: LiveMesh, place: IstioPlace): IstioObject | undefined {
  const services = edgeServices(live);
  if (services.length === 0) return undefined;
  // Without a bucket of its own it limits nothing: each route brings the bucket of its service.
  const empty = { '@type': TYPES.rateLimit, stat_prefix: 'ratelimit' };
  const routes = services.map((service) =>
    mergeRoute('GATEWAY', service, {
      ...(repeats(service) ? LEAVING_AT_ONCE : {}),
      typed_per_filter_config: { [RATE_LIMIT_FILTER]: rateLimit(service, bucketOf(service)) },
    }),
  );
  return envoyFilter(EDGE, { ...place.gatewayLabels }, [insert('GATEWAY', RATE_LIMIT_FILTER, empty), ...routes]);
}

/**
 * At every caller: what is repeated leaves a priority that has just failed. Istio's own retryRemoteLocalities does so from
 * the second repeat on, and the plan allows one.
 */
export function callerRepeats(live: LiveMesh): IstioObject | undefined {
  const patches = live.services
    .filter((service) => !isTcp(service) && repeats(service))
    .map((service) => mergeRoute('SIDECAR_OUTBOUND', service, LEAVING_AT_ONCE));
  if (patches.length === 0) return undefined;
  return envoyFilter('psmg-repeats', undefined, patches);
}

function repeats({ settings }: LiveService): boolean {
  return settings['retry.maxPerRequest'] > 0;
}

const LEAVING_AT_ONCE: Fields = {
  route: {
    retry_policy: {
      retry_priority: {
        name: 'envoy.retry_priorities.previous_priorities',
        typed_config: { '@type': TYPES.previousPriorities, update_frequency: 1 },
      },
    },
  },
};

/** Routes of a VirtualService carry the name of the service. */
function mergeRoute(context: Context, { service: name }: LiveService, value: Fields): Tree {
  return {
    applyTo: 'HTTP_ROUTE',
    match: { context, routeConfiguration: { vhost: { route: { name, action: 'ROUTE' } } } },
    patch: { operation: 'MERGE', value },
  };
}

/**
 * At the callee: a limit of what its callers may repeat, and of all that comes where no limit at the edge stands
 * before it.
 */
export function inboundLimits(service: LiveService, region: RegionSpec): IstioObject | undefined {
  if (isTcp(service)) return undefined;
  const rate = rateLimit(service, inboundBucket(service, region));
  const patches = [
    ...(service.entryPathPrefix === undefined ? [insert('SIDECAR_INBOUND', RATE_LIMIT_FILTER, rate)] : []),
    insert('SIDECAR_INBOUND', REPEAT_FILTER, repeatLimit(service)),
  ];
  return envoyFilter(`${service.service}-inbound`, { [WORKLOAD_LABEL]: service.service }, patches);
}

/**
 * The region's rate over the service's instances instead of the region's proxies. It holds what other regions answer
 * too, so it is never below what the instances that are ready can take.
 */
export function inboundBucket(service: LiveService, region: RegionSpec): Bucket {
  const { rps, burst } = bucketOf(service);
  const share = region.delivery.hosts.length / Math.max(1, service.endpoints.length);
  return { rps: rps * share, burst: Math.max(1, Math.ceil(burst * share)) };
}

/** Only what is no first attempt has this descriptor, and only the descriptor has a bucket. */
function repeatLimit(live: LiveService): Fields {
  const repeated: Tree = [
    { name: ATTEMPT_HEADER, present_match: true },
    { name: ATTEMPT_HEADER, string_match: { exact: '1' }, invert_match: true },
  ];
  const entry = { descriptor_value: 'repeated', headers: repeated };
  return {
    '@type': TYPES.rateLimit,
    stat_prefix: `inbound_repeats_${live.service}`,
    rate_limits: [{ actions: [{ header_value_match: entry }] }],
    descriptors: [
      {
        entries: [{ key: 'header_match', value: 'repeated' }],
        token_bucket: repeatBucket(live),
      },
    ],
    token_bucket: UNLIMITED,
    always_consume_default_token_bucket: false,
    filter_enabled: percent(100),
    filter_enforced: percent(100),
    // What is repeated has failed before; for its caller it fails once more, and is not asked a third time.
    status: { code: 'ServiceUnavailable' },
    response_headers_to_add: [
      { header: { key: OVERLOADED_HEADER, value: 'true' }, append_action: 'OVERWRITE_IF_EXISTS_OR_ADD' },
    ],
  };
}

/** The filter wants a bucket for what has no descriptor: first attempts, which are not limited here. */
const UNLIMITED = { max_tokens: 1_000_000_000, tokens_per_fill: 1_000_000_000, fill_interval: '1s' };

function insert(context: Context, name: string, config: Fields): Tree {
  const filter = { name: MANAGER, subFilter: { name: ROUTER } };
  return {
    applyTo: 'HTTP_FILTER',
    match: { context, listener: { filterChain: { filter } } },
    patch: { operation: 'INSERT_BEFORE', value: { name, typed_config: config } },
  };
}

/** Without labels of every workload in the namespace. */
function envoyFilter(
  name: string,
  labels: Readonly<Record<string, string>> | undefined,
  configPatches: readonly Tree[],
): IstioObject {
  return {
    apiVersion: 'networking.istio.io/v1alpha3',
    kind: 'EnvoyFilter',
    name,
    // Said, so that filters of others keep their place before or behind these.
    spec: { priority: 10, ...(labels === undefined ? {} : { workloadSelector: { labels } }), configPatches },
  };
}
