import type { FileSet } from '../../core/spec/artifact.js';
import type { Problem } from '../../core/spec/problem.js';
import { lintDestinationRule } from './lintDestinationRule.js';
import { lintEnvoyFilter, lintGatewayUse, lintHosts, lintSidecar, lintVirtualService } from './lintReferences.js';
import { list, readObjects, record, texts } from './objects.js';
import type { ReadObject } from './objects.js';

/** What the objects of a mesh name to each other. */
export interface Named {
  /** Hosts that a ServiceEntry declares, with their ports and the localities of their endpoints. */
  hosts: ReadonlyMap<string, { ports: readonly number[]; localities: readonly string[] }>;
  /** Hosts that bytes are sent to. */
  byteHosts: ReadonlySet<string>;
  /** Subsets by host. */
  subsets: ReadonlyMap<string, ReadonlySet<string>>;
  /** `namespace/name` of Gateways. */
  gateways: ReadonlySet<string>;
  /** Sets of labels that proxies carry: of gateways, and of endpoints. */
  workloads: readonly Readonly<Record<string, unknown>>[];
  /** Names of routes at gateways. */
  edgeRoutes: ReadonlySet<string>;
}

/**
 * Mistakes of Istio objects that are no mistakes of form, and silences that Istio would fill otherwise than the plan.
 *
 * | code | |
 * | --- | --- |
 * | ISTIO004 | weights that are negative or do not sum to 100 |
 * | ISTIO005 | weights by locality and failover in one rule: one of them would be ignored |
 * | ISTIO006 | weight for a locality where no endpoint is |
 * | ISTIO007 | locality balancing without ejection: it never fails over |
 * | ISTIO008 | a breaker left at Istio's 2³² − 1 |
 * | ISTIO009 | retries left at Istio's two |
 * | ISTIO010 | a panic threshold that is not stated as 0 |
 * | ISTIO011 | a host, port or gateway that no object declares |
 * | ISTIO012 | a subset that no rule defines |
 * | ISTIO013 | a host or port that two objects claim |
 * | ISTIO014 | an EnvoyFilter that meets no proxy or no route |
 * | ISTIO015 | a wildcard that Istio splits by itself, each part rounded up |
 */
export function lintIstio(files: FileSet): Problem[] {
  const { objects } = readObjects(files);
  const named = namesOf(objects);
  return [
    ...objects.flatMap((object): Problem[] => {
      if (object.kind === 'DestinationRule') return lintDestinationRule(object, named);
      if (object.kind === 'VirtualService') return lintVirtualService(object, named);
      if (object.kind === 'Sidecar') return lintSidecar(object, named);
      if (object.kind === 'EnvoyFilter') return lintEnvoyFilter(object, named);
      return [];
    }),
    ...lintHosts(objects),
    ...lintGatewayUse(objects),
  ];
}

function namesOf(objects: readonly ReadObject[]): Named {
  const of = (kind: string): ReadObject[] => objects.filter((object) => object.kind === kind && isIstio(object));
  const entries = of('ServiceEntry').flatMap((entry) =>
    texts(entry.spec['hosts']).map((host) => {
      const ports = list(entry.spec['ports']).map((port) => Number(port['number']));
      const localities = list(entry.spec['endpoints']).map((endpoint) => String(endpoint['locality'] ?? ''));
      return [host, { ports, localities }] as const;
    }),
  );
  const endpoints = of('ServiceEntry').flatMap((entry) => list(entry.spec['endpoints']));
  const atEdge = of('VirtualService').filter((one) => texts(one.spec['gateways']).some((name) => name !== 'mesh'));
  return {
    hosts: new Map(entries),
    byteHosts: new Set(
      of('ServiceEntry')
        .filter(carriesBytes)
        .flatMap((entry) => texts(entry.spec['hosts'])),
    ),
    subsets: new Map(
      of('DestinationRule').map((rule) => [
        String(rule.spec['host']),
        new Set(list(rule.spec['subsets']).map((subset) => String(subset['name']))),
      ]),
    ),
    gateways: new Set(of('Gateway').map((gateway) => `${gateway.namespace}/${gateway.name}`)),
    workloads: [
      ...of('Gateway').map((gateway) => record(gateway.spec['selector'])),
      ...endpoints.map((endpoint) => record(endpoint['labels'])),
    ],
    edgeRoutes: new Set(atEdge.flatMap((one) => list(one.spec['http']).map((route) => String(route['name'])))),
  };
}

function carriesBytes({ spec }: ReadObject): boolean {
  return list(spec['ports']).every((port) => port['protocol'] === 'TCP');
}

/** The Gateway API has a Gateway too. */
function isIstio({ apiVersion }: ReadObject): boolean {
  return apiVersion.includes('.istio.io/');
}
