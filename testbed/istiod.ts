import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { FileSet } from '../core/spec/artifact.js';
import type { SocketSpec } from '../core/spec/region.js';
import { locatePinned } from '../scripts/parts/locate.js';
import { becomesAnswering } from './answering.js';
import { freePortRange } from './ports.js';
import { startProcess } from './processes.js';
import type { RunningKubernetes } from './kubernetes.js';
import type { RunningProcess } from './processes.js';

export interface IstiodOptions {
  /** Folder of its own: `config/` is watched, `logs/` has what it said. */
  dir: string;
  /** What is in `config/` from the start: relative path → YAML. */
  files?: FileSet;
}

export interface RunningIstiod {
  /** xDS in plain text. */
  xds: SocketSpec;
  /** Ports of the listeners of its sidecars, so that several istiods do not meet at 15001. */
  sidecarPorts: { outbound: number; inbound: number };
  stop(): Promise<void>;
  log(): string;
}

export interface FileIstiod extends RunningIstiod {
  configDir: string;
  /** Moves each file into the watched folder whole; what is not named stays. */
  put(files: FileSet): void;
  remove(...names: readonly string[]): void;
}

const LOOPBACK = '127.0.0.1';
const ROOT_NAMESPACE = 'istio-system';
const READY_WITHIN_MS = 60_000;

/**
 * What a stock Envoy needs: it lacks Istio's own filters (metadata exchange, ALPN), and here is no certificate
 * authority. A change is passed on after 20 ms of quiet instead of 100.
 */
const FOR_STOCK_ENVOY = {
  PILOT_ENABLE_METADATA_EXCHANGE: 'false',
  PILOT_DISABLE_MX_ALPN: 'true',
  PILOT_ENABLE_ALPN_FILTER: 'false',
  ENABLE_CA_SERVER: 'false',
  PILOT_CERT_PROVIDER: 'none',
  PILOT_DEBOUNCE_AFTER: '20ms',
  PILOT_DEBOUNCE_MAX: '500ms',
} as const;

const FOR_KUBERNETES = {
  POD_NAMESPACE: ROOT_NAMESPACE,
  POD_NAME: 'istiod-1',
  INJECTION_WEBHOOK_CONFIG_NAME: '',
  VALIDATION_WEBHOOK_CONFIG_NAME: '',
  PILOT_ENABLE_GATEWAY_API: 'false',
} as const;

/** Inbound listeners of a stock Envoy would wait for ever for a certificate that nobody issues. */
const WITHOUT_CERTIFICATES = `apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: testbed, namespace: ${ROOT_NAMESPACE}}
spec: {mtls: {mode: DISABLE}}
`;

interface Seat {
  ports: { grpc: number; http: number; monitoring: number; control: number; outbound: number; inbound: number };
  meshFile: string;
}

/** A real istiod whose configuration is a watched folder: no cluster. Ready when this resolves. */
export async function startIstiod({ dir, files = {} }: IstiodOptions): Promise<FileIstiod> {
  const configDir = path.join(dir, 'config');
  mkdirSync(configDir, { recursive: true });
  const put = (more: FileSet): void => putFiles(path.join(dir, 'staged'), configDir, more);
  put({ 'testbed.yaml': WITHOUT_CERTIFICATES, ...files });
  const seat = await takeSeat(dir);
  const { ports, meshFile } = seat;
  const process = startProcess(dir, {
    name: 'istiod',
    command: locatePinned('istiod-files'),
    args: [
      ...['-configDir', configDir, '-meshConfig', meshFile, '-grpcAddr', `${LOOPBACK}:${ports.grpc}`],
      ...['-httpAddr', `${LOOPBACK}:${ports.http}`, '-monitoringAddr', `${LOOPBACK}:${ports.monitoring}`],
    ],
    cwd: dir,
    env: FOR_STOCK_ENVOY,
  });
  const running = await whenReady(process, seat);
  return {
    ...running,
    configDir,
    put,
    remove: (...names) => names.forEach((name) => rmSync(path.join(configDir, name), { force: true })),
  };
}

/** The stock istiod, as a cluster runs it, on an API server that has Istio's CRDs. Ready when this resolves. */
export async function startIstiodOnKubernetes(options: {
  dir: string;
  kubernetes: RunningKubernetes;
}): Promise<RunningIstiod> {
  const { dir, kubernetes } = options;
  mkdirSync(dir, { recursive: true });
  const ownFile = path.join(dir, 'testbed.yaml');
  const namespace = `apiVersion: v1\nkind: Namespace\nmetadata: {name: ${ROOT_NAMESPACE}}\n`;
  writeFileSync(ownFile, `${namespace}---\n${WITHOUT_CERTIFICATES}`);
  await kubernetes.kubectl('apply', '-f', ownFile);
  const seat = await takeSeat(dir);
  const { ports, meshFile } = seat;
  const process = startProcess(dir, {
    name: 'istiod',
    command: locatePinned('pilot-discovery'),
    args: [
      ...['discovery', '--kubeconfig', kubernetes.kubeconfig, '--registries', 'Kubernetes', '--meshConfig', meshFile],
      ...['--networksConfig', '/dev/null', '--grpcAddr', `${LOOPBACK}:${ports.grpc}`],
      ...['--secureGRPCAddr=', '--httpsAddr=', '--httpAddr', `${LOOPBACK}:${ports.http}`],
      ...['--monitoringAddr', `${LOOPBACK}:${ports.monitoring}`],
      ...['--ctrlz_address', LOOPBACK, '--ctrlz_port', String(ports.control)],
    ],
    cwd: dir,
    env: { ...FOR_STOCK_ENVOY, ...FOR_KUBERNETES },
  });
  return whenReady(process, seat);
}

async function takeSeat(dir: string): Promise<Seat> {
  const grpc = await freePortRange(6);
  const ports = {
    grpc,
    http: grpc + 1,
    monitoring: grpc + 2,
    control: grpc + 3,
    outbound: grpc + 4,
    inbound: grpc + 5,
  };
  const meshFile = path.join(dir, 'mesh.yaml');
  // mTLS needs certificates of Istio's own authority, which a stock Envoy has no way to ask for.
  const lines = [
    'enableAutoMtls: false',
    'enablePrometheusMerge: false',
    `proxyListenPort: ${ports.outbound}`,
    `proxyInboundListenPort: ${ports.inbound}`,
    `defaultConfig: {discoveryAddress: "${LOOPBACK}:${ports.grpc}"}`,
  ];
  writeFileSync(meshFile, `${lines.join('\n')}\n`);
  return { ports, meshFile };
}

async function whenReady(process: RunningProcess, { ports }: Seat): Promise<RunningIstiod> {
  const url = `http://${LOOPBACK}:${ports.http}/ready`;
  await becomesAnswering(process, { name: 'istiod', state: 'ready', url, withinMs: READY_WITHIN_MS });
  return {
    xds: { address: LOOPBACK, port: ports.grpc },
    sidecarPorts: { outbound: ports.outbound, inbound: ports.inbound },
    stop: () => process.stop(),
    log: () => readFileSync(process.logFile, 'utf8'),
  };
}

/** A half-written file would be read as one that is broken. */
function putFiles(staging: string, target: string, files: FileSet): void {
  mkdirSync(staging, { recursive: true });
  for (const [name, text] of Object.entries(files)) {
    const staged = path.join(staging, path.basename(name));
    const place = path.join(target, name);
    mkdirSync(path.dirname(place), { recursive: true });
    writeFileSync(staged, text);
    renameSync(staged, place);
  }
}
