import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { SocketSpec } from '../core/spec/region.js';
import { locatePart } from '../scripts/parts/locate.js';
import { waitFor } from './http.js';
import { withLog } from './answering.js';
import { freePort } from './ports.js';
import { startProcess } from './processes.js';

export interface IstioProxyOptions {
  /** Folder for its bootstrap and its log. */
  dir: string;
  /** `router`: a gateway. `sidecar`: beside an instance. */
  role: 'router' | 'sidecar';
  /** The istiod that it asks. */
  xds: SocketSpec;
  /** Its name, and its label `app`. */
  app: string;
  namespace?: string;
  /** Beside `app`. */
  labels?: Readonly<Record<string, string>>;
  locality: { region: string; zone: string; subZone?: string };
  /**
   * Address by which istiod knows it. A sidecar has its instance's: the endpoint of a ServiceEntry of the same address
   * is what it is beside, and gives it its inbound listeners. A gateway must have one that no endpoint has.
   */
  address: string;
  /** How long its first configuration may take; absent: 30 s. */
  readyWithinMs?: number;
}

export interface RunningIstioProxy {
  admin: SocketSpec;
  /** `/config_dump?include_eds`, as text. */
  configDump(): Promise<string>;
  log(): string;
  stop(): Promise<void>;
}

const LOOPBACK = '127.0.0.1';
const READY_WITHIN_MS = 30_000;
/** By which istiod decides what a proxy can take; the stock Envoy is as new as that of this Istio. */
const ISTIO_VERSION = '1.31.0';

/** A stock Envoy that takes everything from an istiod by ADS. It has its first configuration when this resolves. */
export async function startIstioProxy(options: IstioProxyOptions): Promise<RunningIstioProxy> {
  const { dir, app } = options;
  mkdirSync(dir, { recursive: true });
  const admin = { address: LOOPBACK, port: await freePort() };
  const bootstrapFile = path.join(dir, `${app}.json`);
  writeFileSync(bootstrapFile, JSON.stringify(bootstrap(options, admin), null, 1));
  const process = startProcess(dir, {
    name: `proxy-${app}`,
    command: locatePart('envoy'),
    args: [
      ...['-c', bootstrapFile, '--concurrency', '1', '--use-dynamic-base-id', '-l', 'warn'],
      // Istio says much in words that this Envoy calls deprecated, once for each route.
      ...['--component-log-level', 'misc:error'],
    ],
    cwd: dir,
  });
  const ask = async (what: string): Promise<Response> =>
    fetch(`http://${LOOPBACK}:${admin.port}${what}`, { signal: AbortSignal.timeout(10_000) });
  try {
    await waitFor(`readiness of the proxy ${app}`, options.readyWithinMs ?? READY_WITHIN_MS, async () => {
      if (!process.isRunning()) return 'ended';
      if ((await ask('/ready')).ok) return 'ready';
      throw new Error(`it waits for ${await (await ask('/init_dump')).text()}`);
    });
    if (!process.isRunning()) throw new Error(`the proxy ${app} ended before it was ready`);
  } catch (error) {
    await process.stop();
    throw withLog(error, process.logFile);
  }
  return {
    admin,
    configDump: async () => (await ask('/config_dump?include_eds')).text(),
    log: () => readFileSync(process.logFile, 'utf8'),
    stop: () => process.stop(),
  };
}

function bootstrap(options: IstioProxyOptions, admin: SocketSpec): Record<string, unknown> {
  const ads = { ads: {}, resource_api_version: 'V3' };
  return {
    node: node(options),
    admin: { address: socket(admin) },
    dynamic_resources: {
      ads_config: {
        api_type: 'GRPC',
        transport_api_version: 'V3',
        set_node_on_first_message_only: true,
        grpc_services: [{ envoy_grpc: { cluster_name: XDS_CLUSTER } }],
      },
      lds_config: ads,
      cds_config: ads,
    },
    static_resources: { clusters: [xdsCluster(options.xds)] },
  };
}

function node(options: IstioProxyOptions): Record<string, unknown> {
  const { role, app, address, namespace = 'default', locality, labels = {} } = options;
  const { region, zone, subZone } = locality;
  return {
    id: `${role}~${address}~${app}.${namespace}~${namespace}.svc.cluster.local`,
    cluster: `${app}.${namespace}`,
    locality: { region, zone, ...(subZone === undefined ? {} : { sub_zone: subZone }) },
    metadata: {
      NAME: app,
      NAMESPACE: namespace,
      CLUSTER_ID: 'Kubernetes',
      MESH_ID: 'cluster.local',
      LABELS: { app, ...labels },
      INSTANCE_IPS: address,
      ISTIO_VERSION,
      // Empty: the generator of Envoy's own resources, not that of another kind of client.
      GENERATOR: '',
    },
  };
}

const XDS_CLUSTER = 'xds-grpc';
const HTTP_OPTIONS = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';

function xdsCluster(xds: SocketSpec): Record<string, unknown> {
  return {
    name: XDS_CLUSTER,
    type: 'STATIC',
    connect_timeout: '1s',
    typed_extension_protocol_options: {
      [HTTP_OPTIONS]: {
        '@type': `type.googleapis.com/${HTTP_OPTIONS}`,
        explicit_http_config: { http2_protocol_options: {} },
      },
    },
    load_assignment: {
      cluster_name: XDS_CLUSTER,
      endpoints: [{ lb_endpoints: [{ endpoint: { address: socket(xds) } }] }],
    },
  };
}

function socket({ address, port }: SocketSpec): Record<string, unknown> {
  return { socket_address: { address, port_value: port } };
}
