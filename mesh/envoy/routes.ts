import type { LiveMesh, LiveService } from '../../core/spec/live.js';
import type { RegionSpec } from '../../core/spec/region.js';
import { toYaml } from '../document.js';
import type { Tree } from '../document.js';
import { bucketOf, rateLimit } from './buckets.js';
import { told } from '../told.js';
import { LONG_STREAM_IDLE } from './inbound.js';
import { INGRESS, MESH, RATE_LIMIT_FILTER, TYPES } from './names.js';
import { servicesBehindProxies } from './protocols.js';
import { TAKEN_OFF, repeatedOn } from './repeats.js';

/** What users ask for: by path, the longest prefix first; everything else is refused here. */
export function renderIngressRoutes(live: LiveMesh, region: RegionSpec): string {
  const behindProxies = servicesBehindProxies(region);
  const entries = routed(live)
    .filter((service) => service.entryPathPrefix !== undefined)
    .sort((a, b) => prefixOf(b).length - prefixOf(a).length || (a.service < b.service ? -1 : 1));
  const routes: Tree[] = entries.map((service) => {
    return serviceRoute(service, pathMatch(prefixOf(service)), behindProxies.has(service.service));
  });
  if (!entries.some((service) => prefixOf(service) === '/')) {
    const body = { inline_string: 'no service at this path\n' };
    routes.push({ match: { prefix: '/' }, direct_response: { status: 404, body } });
  }
  const hosts = [{ name: INGRESS, domains: ['*'], include_request_attempt_count: true, routes }];
  return routeFile(INGRESS, hosts, behindProxies.size > 0, 'what users reach');
}

/** Calls between services: by `Host: <service>`. */
export function renderMeshRoutes(live: LiveMesh, region: RegionSpec): string {
  const behindProxies = servicesBehindProxies(region);
  const hosts = routed(live).map((service) => ({
    name: service.service,
    domains: [service.service, `${service.service}:*`],
    // An instance's proxy tells repeated requests by it; what a caller sends in it is overwritten.
    include_request_attempt_count: true,
    routes: [serviceRoute(service, { prefix: '/' }, behindProxies.has(service.service))],
  }));
  return routeFile(MESH, hosts, behindProxies.size > 0, 'calls between services');
}

/** Bytes have no Host: what speaks `tcp` is reached at its endpoints. */
function routed(live: LiveMesh): LiveService[] {
  return live.services.filter(({ protocol }) => protocol !== 'tcp');
}

function routeFile(name: string, virtual_hosts: Tree, proxied: boolean, head: string): string {
  const marks = proxied ? TAKEN_OFF : {};
  const routes = { '@type': TYPES.routes, name, validate_clusters: true, ...marks, virtual_hosts };
  return toYaml({ resources: [routes] }, head);
}

function prefixOf(service: LiveService): string {
  return service.entryPathPrefix ?? '';
}

/** `/shop` is to match `/shop` and `/shop/…`, not `/shopping`. */
function pathMatch(prefix: string): Tree {
  return prefix.endsWith('/') ? { prefix } : { path_separated_prefix: prefix };
}

function serviceRoute(service: LiveService, match: Tree, behindProxy: boolean): Tree {
  const { value } = told(service);
  return {
    // The listeners count requests by this name.
    name: service.service,
    match,
    route: {
      cluster: service.service,
      // The neighbours' gateways know our services by this name.
      host_rewrite_literal: service.service,
      ...timeouts(service),
      ...hashPolicy(service),
      retry_policy: {
        ...repeatedOn(behindProxy),
        num_retries: value('retry.maxPerRequest'),
        retry_host_predicate: [
          { name: 'envoy.retry_host_predicates.previous_hosts', typed_config: { '@type': TYPES.previousHosts } },
        ],
        // Of two endpoints the one that fails at once is the less loaded, and is picked three times out of four: with
        // Envoy's advice of 5 picks every sixth retry would meet it again.
        host_selection_retry_max_attempts: 32,
        // The endpoints beside one that is down may be down too; those of the next priority are elsewhere.
        // Another endpoint is asked, so there is nothing to wait for; Envoy's 25 ms would use up the budget.
        retry_back_off: { base_interval: '0.005s', max_interval: '0.05s' },
        retry_priority: {
          name: 'envoy.retry_priorities.previous_priorities',
          typed_config: { '@type': TYPES.previousPriorities, update_frequency: 1 },
        },
      },
    },
    typed_per_filter_config: { [RATE_LIMIT_FILTER]: rateLimit(service, bucketOf(service)) },
  };
}

function timeouts(service: LiveService): { [key: string]: Tree } {
  const { ms } = told(service);
  const timeout = ms('timeout.requestMs');
  if (service.protocol === 'websocket') {
    return { timeout: '0s', idle_timeout: LONG_STREAM_IDLE, upgrade_configs: [{ upgrade_type: 'websocket' }] };
  }
  // A deadline that the caller states in gRPC's own way holds where it is the shorter one.
  if (service.protocol === 'grpc') return { timeout, max_stream_duration: { grpc_timeout_header_max: timeout } };
  return { timeout };
}

/** What makes requests of one user meet one instance; only these two policies look at it. */
function hashPolicy({ affinity, settings }: LiveService): { [key: string]: Tree } {
  const hashes = settings['lb.policy'] === 'RING_HASH' || settings['lb.policy'] === 'MAGLEV';
  if (affinity === undefined || !hashes) return {};
  const policy: Tree =
    'header' in affinity
      ? { header: { header_name: affinity.header } }
      : // A life of 0 s makes it last as long as the user's session; who has none is given one.
        { cookie: { name: affinity.cookie, ttl: '0s', path: '/' } };
  return { hash_policy: [policy] };
}
