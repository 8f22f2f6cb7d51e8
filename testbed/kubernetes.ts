import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { locateIstioCrds } from '../scripts/parts/istio.js';
import { locatePinned, locatePart } from '../scripts/parts/locate.js';
import { run } from '../scripts/parts/run.js';
import type { RunOutcome } from '../scripts/parts/run.js';
import { waitFor } from './http.js';
import { withLog } from './answering.js';
import { freePortRange } from './ports.js';
import { startProcess } from './processes.js';
import type { RunningProcess } from './processes.js';

export interface RunningKubernetes {
  /** For kubectl and for what runs in the cluster: everything is allowed. */
  kubeconfig: string;
  /** Runs kubectl; throws with its own words when it fails. */
  kubectl(...args: readonly string[]): Promise<string>;
  /** As `kubectl`, without throwing. */
  tryKubectl(...args: readonly string[]): Promise<RunOutcome>;
  stop(): Promise<void>;
}

const LOOPBACK = '127.0.0.1';
const READY_WITHIN_MS = 90_000;

/**
 * An API server with its store, on the loopback interface, which has Istio's CRDs: no nodes and no controllers, so what
 * is applied is kept and watched, and nothing runs. The CRDs are served when this resolves.
 */
export async function startKubernetes({ dir }: { dir: string }): Promise<RunningKubernetes> {
  mkdirSync(dir, { recursive: true });
  const first = await freePortRange(3);
  const ports = { store: first, storePeer: first + 1, api: first + 2 };
  const started: RunningProcess[] = [];
  const stop = async (): Promise<void> => {
    // The server first: without its store it would only complain.
    for (const one of started.toReversed()) await one.stop();
  };
  try {
    started.push(startStore(dir, ports));
    const token = randomUUID();
    const server = startServer(dir, ports, token);
    started.push(server);
    const kubeconfig = writeKubeconfig(dir, ports.api, token);
    const tryKubectl = (...args: readonly string[]): Promise<RunOutcome> => kubectlOf(dir, kubeconfig, args);
    const kubectl = async (...args: readonly string[]): Promise<string> => {
      const outcome = await tryKubectl(...args);
      if (outcome.code === 0) return outcome.stdout;
      throw new Error(`kubectl ${args.join(' ')}: ${outcome.stderr.trim()}`);
    };
    await becomesReady(server, started, kubectl);
    await kubectl('apply', '--server-side', '-f', locateIstioCrds());
    // kubectl's own wait fails on a definition that has no conditions yet.
    await waitFor("Istio's definitions being served", READY_WITHIN_MS, async () => {
      await kubectl('wait', '--for=condition=Established', '--timeout=30s', 'crd', '--all');
      return true;
    });
    return { kubeconfig, kubectl, tryKubectl, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

interface Ports {
  store: number;
  storePeer: number;
  api: number;
}

function startStore(dir: string, { store, storePeer }: Ports): RunningProcess {
  const [clients, peers] = [store, storePeer].map((port) => `http://${LOOPBACK}:${port}`);
  return startProcess(dir, {
    name: 'etcd',
    command: locatePart('etcd'),
    args: [
      ...['--name', 'store', '--data-dir', path.join(dir, 'etcd'), '--log-level', 'warn'],
      ...['--listen-client-urls', clients ?? '', '--advertise-client-urls', clients ?? ''],
      ...['--listen-peer-urls', peers ?? '', '--initial-advertise-peer-urls', peers ?? ''],
      ...['--initial-cluster', `store=${peers ?? ''}`],
      // What it holds is thrown away with the folder.
      '--unsafe-no-fsync',
    ],
    cwd: dir,
  });
}

function startServer(dir: string, ports: Ports, token: string): RunningProcess {
  const keyFile = path.join(dir, 'service-accounts.pem');
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  writeFileSync(keyFile, privateKey.export({ type: 'pkcs1', format: 'pem' }), { mode: 0o600 });
  const tokens = path.join(dir, 'tokens.csv');
  writeFileSync(tokens, `${token},admin,1,"system:masters"\n`, { mode: 0o600 });
  return startProcess(dir, {
    name: 'kube-apiserver',
    command: locatePinned('kube-apiserver'),
    args: [
      `--etcd-servers=http://${LOOPBACK}:${ports.store}`,
      ...[`--bind-address=${LOOPBACK}`, `--advertise-address=${LOOPBACK}`, `--secure-port=${ports.api}`],
      `--cert-dir=${path.join(dir, 'certs')}`,
      '--service-cluster-ip-range=10.99.0.0/24',
      '--service-account-issuer=https://kubernetes.default.svc',
      ...[`--service-account-key-file=${keyFile}`, `--service-account-signing-key-file=${keyFile}`],
      ...[`--token-auth-file=${tokens}`, '--authorization-mode=RBAC'],
      // There is no controller that would make the accounts it asks for, and no other server to agree with.
      ...['--disable-admission-plugins=ServiceAccount', '--endpoint-reconciler-type=none'],
    ],
    cwd: dir,
  });
}

function writeKubeconfig(dir: string, port: number, token: string): string {
  const file = path.join(dir, 'kubeconfig');
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'own', cluster: { server: `https://${LOOPBACK}:${port}`, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'admin', user: { token } }],
    contexts: [{ name: 'own', context: { cluster: 'own', user: 'admin' } }],
    'current-context': 'own',
  };
  writeFileSync(file, JSON.stringify(config, null, 1), { mode: 0o600 });
  return file;
}

function kubectlOf(dir: string, kubeconfig: string, args: readonly string[]): Promise<RunOutcome> {
  // Its cache of what the server knows must not be the user's: the address is that of another server tomorrow.
  const common = ['--kubeconfig', kubeconfig, '--cache-dir', path.join(dir, 'kubectl-cache')];
  return run(locatePart('kubectl'), [...common, ...args], { timeoutMs: 90_000 });
}

async function becomesReady(
  server: RunningProcess,
  all: readonly RunningProcess[],
  kubectl: RunningKubernetes['kubectl'],
): Promise<void> {
  try {
    await waitFor("the API server's readiness", READY_WITHIN_MS, async () => {
      if (all.some((one) => !one.isRunning())) return 'ended';
      return (await kubectl('get', '--raw', '/readyz')).trim() === 'ok' && 'ready';
    });
    const ended = all.find((one) => !one.isRunning());
    if (ended !== undefined) throw withLog(new Error(`${ended.name} ended before it was ready`), ended.logFile);
  } catch (error) {
    throw withLog(error, server.logFile);
  }
}
