import type { LiveMesh, LiveService } from '../../core/spec/live.js';
import { Because } from '../document.js';
import { told } from '../told.js';
import type { Fields, IstioObject, IstioPlace } from './names.js';
import { NETWORKING, WORKLOAD_LABEL, hostOf, isTcp } from './names.js';

/** The proxy beside each instance of a service: what it may have in hand, and which services it is told of. */
export function sidecar(service: LiveService, live: LiveMesh, place: IstioPlace): IstioObject {
  return {
    apiVersion: NETWORKING,
    kind: 'Sidecar',
    name: service.service,
    spec: {
      workloadSelector: { labels: { [WORKLOAD_LABEL]: service.service } },
      inboundConnectionPool: inboundPool(service),
      ...egress(service, live, place),
    },
  };
}

/** No limit, where a field left out would be taken from the callers' rule. */
const PLENTY = 1_000_000;

/**
 * The hard limit stands here, at the callee: one at each of many callers is too loose for all of them together or
 * too tight for one. What is more is refused at once.
 */
function inboundPool(service: LiveService): Fields {
  const limit = told(service).value('inbound.maxRequests');
  if (isTcp(service)) return { tcp: { maxConnections: limit } };
  return {
    tcp: { maxConnections: new Because(PLENTY, 'requests are limited: idle connections keep none of them out') },
    http: {
      http2MaxRequests: limit,
      http1MaxPendingRequests: limit,
      maxRetries: new Because(1, 'Istio lets this proxy repeat what met a closing connection: one at a time'),
    },
  };
}

/** Callees by the graph. What it does not know passes through, as without this object. */
function egress(service: LiveService, live: LiveMesh, place: IstioPlace): Fields {
  if (place.calls === undefined) return {};
  const known = new Set(live.services.map((one) => one.service));
  const callees = Object.entries(place.calls[service.service] ?? {})
    .filter(([callee, perRequest]) => perRequest > 0 && known.has(callee))
    .map(([callee]) => `./${hostOf(callee, place)}`)
    .sort();
  return {
    outboundTrafficPolicy: { mode: 'ALLOW_ANY' },
    egress: [{ hosts: callees.length > 0 ? callees : ['~/*'] }],
  };
}
