import type { LiveMesh, LiveService } from '../../core/spec/live.js';
import { answersMayBeRepeated } from '../envoy/repeats.js';
import { told } from '../told.js';
import type { Fields, IstioObject, IstioPlace } from './names.js';
import { EDGE, NETWORKING, hostOf, isTcp, portOf } from './names.js';

/** Only what no endpoint has begun to work on: whether more may be repeated is the caller's to know. */
const RETRY_ON = 'connect-failure,refused-stream,reset-before-request';
/** Where answers may be repeated too: failures that say nothing of the request itself. */
const RETRY_ANSWERS = `${RETRY_ON},reset,gateway-error`;

/** Calls between services. Bytes need no route: their port is their name. */
export function meshVirtualService(service: LiveService, place: IstioPlace): IstioObject | undefined {
  if (isTcp(service)) return undefined;
  return {
    apiVersion: NETWORKING,
    kind: 'VirtualService',
    name: service.service,
    spec: {
      hosts: [hostOf(service.service, place)],
      gateways: ['mesh'],
      http: [httpRoute(service, place, {})],
    },
  };
}

/**
 * What users reach, the longest path first. One object for all: over several the order of the routes would be
 * Istio's. A path that no service has is answered with 404.
 */
export function edgeVirtualService(live: LiveMesh, place: IstioPlace): IstioObject | undefined {
  const entries = edgeServices(live);
  if (entries.length === 0) return undefined;
  return {
    apiVersion: NETWORKING,
    kind: 'VirtualService',
    name: EDGE,
    spec: {
      hosts: ['*'],
      gateways: [`${place.namespace}/${EDGE}`],
      http: entries.map((service) => httpRoute(service, place, { match: pathMatches(prefixOf(service)) })),
    },
  };
}

/** Services that users reach by HTTP, in the order in which their paths are tried. */
export function edgeServices(live: LiveMesh): readonly LiveService[] {
  return live.services
    .filter((service) => service.entryPathPrefix !== undefined && !isTcp(service))
    .sort((a, b) => prefixOf(b).length - prefixOf(a).length || (a.service < b.service ? -1 : 1));
}

export function prefixOf(service: LiveService): string {
  return service.entryPathPrefix ?? '/';
}

/** `/shop` is to match `/shop` and `/shop/…`, not `/shopping`. */
function pathMatches(prefix: string): { uri: Record<string, string> }[] {
  if (prefix.endsWith('/')) return [{ uri: { prefix } }];
  return [{ uri: { exact: prefix } }, { uri: { prefix: `${prefix}/` } }];
}

function httpRoute(service: LiveService, place: IstioPlace, match: Fields): Fields {
  const { ms } = told(service);
  const { number } = portOf(service);
  return {
    // The rate limit of the edge finds its route by this name.
    name: service.service,
    ...match,
    // The neighbours' gateways know our services by this name.
    rewrite: { authority: service.service },
    route: [{ destination: { host: hostOf(service.service, place), port: { number } } }],
    // A WebSocket lasts as long as its user and a time-out would cut it off. Left out is none; 0 is refused.
    ...(service.protocol === 'websocket' ? {} : { timeout: ms('timeout.requestMs') }),
    retries: retries(service),
  };
}

/** Said also where there are none: Istio's own are 2, of failures after which a request may have been worked on. */
function retries(service: LiveService): Fields {
  const attempts = told(service).value('retry.maxPerRequest');
  if (Number(attempts.value) === 0) return { attempts };
  return {
    attempts,
    retryOn: answersMayBeRepeated(service) ? RETRY_ANSWERS : RETRY_ON,
    // Another endpoint is asked, so there is nothing to wait for; Envoy's 25 ms would use up the budget.
    backoff: '0.005s',
    // The endpoints beside one that is down may be down too; those that stand by are elsewhere.
    retryRemoteLocalities: true,
    retryIgnorePreviousHosts: true,
  };
}
