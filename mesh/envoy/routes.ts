import type { LiveMesh, LiveService } from '../../core/spec/live.js';
import { told } from './clusters.js';
import { Because, toYaml } from './document.js';
import type { Tree } from './document.js';
import { INGRESS, MESH, RATE_LIMIT_FILTER, TYPES, rateLimitStat } from './names.js';

/** Only what no endpoint has begun to work on: whether more may be repeated is the caller's to know. */
const RETRY_ON = 'connect-failure,refused-stream,reset-before-request';

/** What users ask for: by path, the longest prefix first; everything else is refused here. */
export function renderIngressRoutes(live: LiveMesh): string {
  const entries = live.services
    .filter((service) => service.entryPathPrefix !== undefined)
    .sort((a, b) => prefixOf(b).length - prefixOf(a).length || (a.service < b.service ? -1 : 1));
  const routes: Tree[] = entries.map((service) => serviceRoute(service, pathMatch(prefixOf(service))));
  if (!entries.some((service) => prefixOf(service) === '/')) {
    const body = { inline_string: 'no service at this path\n' };
    routes.push({ match: { prefix: '/' }, direct_response: { status: 404, body } });
  }
  return routeFile(INGRESS, [{ name: INGRESS, domains: ['*'], routes }], 'what users reach');
}

/** Calls between services: by `Host: <service>`. */
export function renderMeshRoutes(live: LiveMesh): string {
  const hosts = live.services.map((service) => ({
    name: service.service,
    domains: [service.service, `${service.service}:*`],
    routes: [serviceRoute(service, { prefix: '/' })],
  }));
  return routeFile(MESH, hosts, 'calls between services');
}

function routeFile(name: string, virtual_hosts: Tree, head: string): string {
  return toYaml({ resources: [{ '@type': TYPES.routes, name, validate_clusters: true, virtual_hosts }] }, head);
}

function prefixOf(service: LiveService): string {
  return service.entryPathPrefix ?? '';
}

/** `/shop` is to match `/shop` and `/shop/…`, not `/shopping`. */
function pathMatch(prefix: string): Tree {
  return prefix.endsWith('/') ? { prefix } : { path_separated_prefix: prefix };
}

function serviceRoute(service: LiveService, match: Tree): Tree {
  const { value, ms } = told(service);
  return {
    // The listeners count requests by this name.
    name: service.service,
    match,
    route: {
      cluster: service.service,
      // The neighbours' gateways know our services by this name.
      host_rewrite_literal: service.service,
      timeout: ms('timeout.requestMs'),
      retry_policy: {
        retry_on: RETRY_ON,
        num_retries: value('retry.maxPerRequest'),
        retry_host_predicate: [
          { name: 'envoy.retry_host_predicates.previous_hosts', typed_config: { '@type': TYPES.previousHosts } },
        ],
        host_selection_retry_max_attempts: 5,
        // The endpoints beside one that is down may be down too; those of the next priority are elsewhere.
        // Another endpoint is asked, so there is nothing to wait for; Envoy's 25 ms would use up the budget.
        retry_back_off: { base_interval: '0.005s', max_interval: '0.05s' },
        retry_priority: {
          name: 'envoy.retry_priorities.previous_priorities',
          typed_config: { '@type': TYPES.previousPriorities, update_frequency: 1 },
        },
      },
    },
    typed_per_filter_config: { [RATE_LIMIT_FILTER]: rateLimit(service) },
  };
}

function rateLimit(service: LiveService): Tree {
  const { settings, reasons } = service;
  const rps = settings['rateLimit.rps'];
  const bucket = tokenBucket(rps);
  return {
    '@type': TYPES.rateLimit,
    stat_prefix: rateLimitStat(service.service),
    token_bucket: {
      max_tokens: new Because(settings['rateLimit.burst'], reasons['rateLimit.burst']),
      tokens_per_fill: new Because(bucket.tokens, reasons['rateLimit.rps']),
      fill_interval: bucket.interval,
    },
    filter_enabled: { default_value: { numerator: 100, denominator: 'HUNDRED' } },
    filter_enforced: {
      default_value: {
        numerator: new Because(settings['rateLimit.enforcedPercent'], reasons['rateLimit.enforcedPercent']),
        denominator: 'HUNDRED',
      },
    },
  };
}

/** Tokens are whole and intervals are not: about a second, so stretched that the rate is exact. */
function tokenBucket(rps: number): { tokens: number; interval: string } {
  const tokens = Math.max(1, Math.round(rps));
  return { tokens, interval: `${Number((tokens / rps).toFixed(9))}s` };
}
