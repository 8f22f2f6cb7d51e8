import type { FileSet } from '../../core/spec/artifact.js';
import type { LiveMesh, LiveService } from '../../core/spec/live.js';
import type { RegionSpec } from '../../core/spec/region.js';
import { Because } from '../document.js';
import type { Tree } from '../document.js';
import { ingressPort } from './gateway.js';
import type { IstioObject, IstioOptions, IstioPlace } from './names.js';
import { EDGE, hostOf, objectsFile, placeOf, portOf } from './names.js';
import { edgeServices, prefixOf } from './virtualService.js';

const GATEWAY_API = 'gateway.networking.k8s.io/v1';

/** What the standard channel of the Gateway API has no field for, and what would hold in its place. */
export const GATEWAY_API_CANNOT: readonly string[] = [
  'retries: none can be stated, and Istio repeats twice',
  'weights between regions: a backend is a whole service; its DestinationRule shares the requests',
  'balancing, breakers, ejection, budget of retries: the DestinationRule',
  'rate limits: the EnvoyFilter finds the routes of a VirtualService by name, and none of these',
  'calls between services: the VirtualServices',
  'certificates by file: a listener names a Secret',
];

export interface GatewayApiFiles {
  /** In place of `gateway.yaml` and of the edge's VirtualService; the other files of `renderIstio` stay. */
  files: FileSet;
  /** What is lost by that. */
  cannot: readonly string[];
}

/** The edge in the words of the Gateway API: paths, the name that the service is asked by, time-outs. */
export function renderGatewayApi(live: LiveMesh, region: RegionSpec, options: IstioOptions = {}): GatewayApiFiles {
  const place = placeOf(options);
  const entries = edgeServices(live);
  const objects = [gateway(region), ...(entries.length === 0 ? [] : [route(entries, place)])];
  const files = objectsFile('gateway-api.yaml', objects, place, 'what users reach, by the Gateway API');
  return { files, cannot: GATEWAY_API_CANNOT };
}

function gateway(region: RegionSpec): IstioObject {
  const allowedRoutes = { namespaces: { from: 'Same' } };
  const listeners: Tree = [{ name: 'http', port: ingressPort(region), protocol: 'HTTP', allowedRoutes }];
  return { apiVersion: GATEWAY_API, kind: 'Gateway', name: EDGE, spec: { gatewayClassName: 'istio', listeners } };
}

function route(entries: readonly LiveService[], place: IstioPlace): IstioObject {
  return {
    apiVersion: GATEWAY_API,
    kind: 'HTTPRoute',
    name: EDGE,
    spec: { parentRefs: [{ name: EDGE }], rules: entries.map((service) => rule(service, place)) },
  };
}

function rule(service: LiveService, place: IstioPlace): Tree {
  const { number: port } = portOf(service);
  // Its durations are whole numbers with a unit.
  const request = new Because(`${service.settings['timeout.requestMs']}ms`, service.reasons['timeout.requestMs']);
  return {
    matches: [{ path: { type: 'PathPrefix', value: withoutSlash(prefixOf(service)) } }],
    filters: [{ type: 'URLRewrite', urlRewrite: { hostname: service.service } }],
    ...(service.protocol === 'websocket' ? {} : { timeouts: { request } }),
    backendRefs: [
      { group: 'networking.istio.io', kind: 'Hostname', name: hostOf(service.service, place), port, weight: 1 },
    ],
  };
}

/** Here a prefix matches whole parts of a path by itself. */
function withoutSlash(prefix: string): string {
  return prefix.length > 1 && prefix.endsWith('/') ? prefix.slice(0, -1) : prefix;
}
