import type { LiveService } from '../../core/spec/live.js';
import { toYaml } from '../document.js';
import type { Tree } from '../document.js';

/** What the live mesh does not say and Istio needs to know. */
export interface IstioOptions {
  /**
   * Calls per request, by caller and callee. With it, each service's proxy is told of its callees alone; without it,
   * of every service of the mesh.
   */
  calls?: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Where the workloads are and all that is rendered goes. Absent: `default`. */
  namespace?: string;
  /** Labels of the proxies at the edge. Absent: those of Istio's own chart. */
  gatewayLabels?: Readonly<Record<string, string>>;
  /** Provider of request metrics, as MeshConfig names it. Absent: the mesh's default. */
  metricsProvider?: string;
}

/** The options with what stands for the absent ones. */
export interface IstioPlace {
  calls: IstioOptions['calls'];
  namespace: string;
  gatewayLabels: Readonly<Record<string, string>>;
  metricsProvider: string | undefined;
}

export function placeOf(options: IstioOptions): IstioPlace {
  return {
    calls: options.calls,
    namespace: options.namespace ?? 'default',
    gatewayLabels: options.gatewayLabels ?? { istio: 'ingressgateway' },
    metricsProvider: options.metricsProvider,
  };
}

/** One file a kind of object, in the order in which they may be put in place: what is named exists before it is named. */
export const ISTIO_FILES = {
  serviceEntries: 'service-entries.yaml',
  destinationRules: 'destination-rules.yaml',
  gateway: 'gateway.yaml',
  virtualServices: 'virtual-services.yaml',
  sidecars: 'sidecars.yaml',
  envoyFilters: 'envoy-filters.yaml',
  telemetry: 'telemetry.yaml',
} as const;

export const NETWORKING = 'networking.istio.io/v1';
/** Name of the edge's Gateway and of the VirtualService of all that users reach. */
export const EDGE = 'psmg-edge';
export const MANAGED_BY = { 'app.kubernetes.io/managed-by': 'psmg' } as const;
/** Label of a service's workloads, and of its endpoints. */
export const WORKLOAD_LABEL = 'app';
/** Services that speak HTTP are called at this port, whatever port their instances listen on. */
export const HTTP_PORT = 80;

/** A Kubernetes name, so that a caller in the namespace may say `http://cart` as it would of a Kubernetes service. */
export function hostOf(service: string, place: Pick<IstioPlace, 'namespace'>): string {
  return `${service}.${place.namespace}.svc.cluster.local`;
}

export function isTcp(service: LiveService): boolean {
  return service.protocol === 'tcp';
}

/** Port at which callers reach the service, and the protocol in Istio's words. */
export function portOf(service: LiveService): { number: number; name: string; protocol: string } {
  switch (service.protocol ?? 'http') {
    case 'tcp':
      // Bytes carry no name: a port of its own is all that tells one such service from another.
      return { number: service.endpoints[0]?.port ?? HTTP_PORT, name: 'tcp', protocol: 'TCP' };
    case 'grpc':
      return { number: HTTP_PORT, name: 'grpc', protocol: 'GRPC' };
    case 'http2':
      return { number: HTTP_PORT, name: 'http2', protocol: 'HTTP2' };
    case 'http':
    case 'websocket':
      return { number: HTTP_PORT, name: 'http', protocol: 'HTTP' };
  }
}

export type Fields = { readonly [key: string]: Tree | undefined };

export interface IstioObject {
  apiVersion: string;
  kind: string;
  name: string;
  spec: Fields;
}

/** Objects as one file of YAML documents. No object: no file. */
export function objectsFile(
  path: string,
  objects: readonly IstioObject[],
  place: IstioPlace,
  head: string,
): Readonly<Record<string, string>> {
  if (objects.length === 0) return {};
  const documents = objects.map(({ apiVersion, kind, name, spec }) =>
    toYaml(
      { apiVersion, kind, metadata: { name, namespace: place.namespace, labels: { ...MANAGED_BY } }, spec },
      `${name}: ${head}`,
    ),
  );
  return { [path]: documents.join('---\n') };
}
