import { execFile, spawn } from 'node:child_process';
import { existsSync, openSync, closeSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import type { FileSet } from '../../core/spec/artifact.js';
import type { DeploymentRequest, DeploymentResult } from '../../core/spec/deployment.js';
import type { DeliveryRunner, DeliveryRunOptions } from './port.js';
import { EventTail, prepareRunFolder, readEnd, readOptional, readResult, runFolderOf } from './runFolder.js';

const SUPERVISOR = fileURLToPath(new URL('./supervise.py', import.meta.url));
const POLL_MS = 100;
const PROBE_EVERY_MS = 1000;
/** Longer than the supervisor's own grace between SIGTERM and SIGKILL. */
const CANCEL_TIMEOUT_MS = 20_000;

export interface AnsibleRunnerOptions {
  /** Path of the program `ansible-playbook`. */
  ansiblePlaybook: string;
  /** Folder for one run folder a deployment; must outlive the worker, and not be shared between machines. */
  runsDirectory: string;
  /** Added to the worker's own environment; `ANSIBLE_*` variables of the worker's are not passed on. */
  environment?: Readonly<Record<string, string>>;
}

/** The caller gave up. `cancelled`: the run was ended too; otherwise it goes on and can be joined. */
export class DeploymentAbortedError extends Error {
  override readonly name = 'DeploymentAbortedError';
  readonly cancelled: boolean;

  constructor(deploymentId: string, cancelled: boolean) {
    super(
      `deployment ${deploymentId}: ${cancelled ? 'cancelled, its run has ended' : 'no longer followed, its run goes on'}`,
    );
    this.cancelled = cancelled;
  }
}

/** The run was killed before it could end. Running the same deployment again starts it anew. */
export class DeploymentDiedError extends Error {
  override readonly name = 'DeploymentDiedError';
}

/**
 * Runs playbooks detached, under a lock held by the run itself. `reattached` is true whenever the call did not start
 * the run, whether it was still in progress or had ended. A cancelled or killed run is started anew by the next call.
 */
export function createAnsibleRunner(options: AnsibleRunnerOptions): DeliveryRunner {
  return { run: (request, project, runOptions) => run(options, request, project, runOptions) };
}

interface Run {
  folder: string;
  python: string;
  request: DeploymentRequest;
}

/** What this process knows of a supervisor that it started itself. */
interface Started {
  ended: boolean;
  error?: Error;
}

async function run(
  options: AnsibleRunnerOptions,
  request: DeploymentRequest,
  project: FileSet,
  runOptions: DeliveryRunOptions,
): Promise<DeploymentResult> {
  const folder = runFolderOf(options.runsDirectory, request, runOptions.mode);
  const current: Run = { folder, python: pythonOf(options.ansiblePlaybook), request };
  await prepareRunFolder(folder, request, project);
  const joined = (await readEnd(folder)) !== undefined || (await isRunning(current));
  const started = joined ? undefined : start(options, current, runOptions.mode);
  return follow(current, started, runOptions);
}

/** The Python that Ansible itself runs on, when it stands beside it. */
function pythonOf(ansiblePlaybook: string): string {
  const beside = path.join(path.dirname(ansiblePlaybook), 'python3');
  return existsSync(beside) ? beside : 'python3';
}

function start(options: AnsibleRunnerOptions, current: Run, mode: 'apply' | 'check'): Started {
  const { folder } = current;
  const project = path.join(folder, 'project');
  const preview = mode === 'check' ? ['--check'] : [];
  const inventory = path.join(project, 'inventory.yml');
  const argv = [
    options.ansiblePlaybook,
    '--inventory',
    inventory,
    '--diff',
    ...preview,
    path.join(project, 'site.yml'),
  ];
  // Its output goes to files: a child whose pipes close with the worker would die with it.
  const log = openSync(path.join(folder, 'supervisor.log'), 'a');
  const regionLock = path.join(path.dirname(folder), 'lock');
  const child = spawn(current.python, [SUPERVISOR, 'run', folder, regionLock], {
    detached: true,
    stdio: ['pipe', log, log],
  });
  closeSync(log);
  const started: Started = { ended: false };
  child.on('error', (error) => Object.assign(started, { ended: true, error }));
  child.on('exit', () => Object.assign(started, { ended: true }));
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(JSON.stringify({ argv, environment: options.environment ?? {} }));
  child.unref();
  return started;
}

async function follow(
  current: Run,
  started: Started | undefined,
  { cursor, onEvent, signal }: DeliveryRunOptions,
): Promise<DeploymentResult> {
  const tail = new EventTail(current.folder);
  let probeAt = Date.now() + PROBE_EVERY_MS;
  for (;;) {
    await giveUpWhenAborted(current, signal);
    const end = await readEnd(current.folder);
    await tail.next(cursor, onEvent);
    if (end !== undefined) return readResult(current.folder, current.request, end, started === undefined);
    if (started?.error !== undefined) throw started.error;
    const unknown = started === undefined || started.ended;
    if (unknown && Date.now() >= probeAt) {
      await throwWhenDead(current);
      probeAt = Date.now() + PROBE_EVERY_MS;
    }
    await sleep(POLL_MS, undefined, { signal }).catch(() => undefined);
  }
}

async function throwWhenDead(current: Run): Promise<void> {
  if ((await isRunning(current)) || (await readEnd(current.folder)) !== undefined) return;
  const log = (await readOptional(path.join(current.folder, 'supervisor.log')))?.trim() ?? '';
  throw new DeploymentDiedError(
    `the run of deployment ${current.request.deploymentId} died before its end. ${log}`.trim(),
  );
}

async function giveUpWhenAborted(current: Run, signal: AbortSignal): Promise<void> {
  if (!signal.aborted) return;
  const cancelled = signal.reason === 'cancel';
  if (cancelled) await cancel(current);
  throw new DeploymentAbortedError(current.request.deploymentId, cancelled);
}

async function isRunning(current: Run): Promise<boolean> {
  const { stdout } = await promisify(execFile)(current.python, [SUPERVISOR, 'probe', current.folder]);
  return stdout.trim() === 'running';
}

async function cancel(current: Run): Promise<void> {
  const deadline = Date.now() + CANCEL_TIMEOUT_MS;
  for (let sent = false; await isRunning(current); sent = true) {
    const text = await readOptional(path.join(current.folder, 'supervisor.json'));
    if (text !== undefined) killGroup((JSON.parse(text) as { pid: number }).pid, sent, deadline);
    await sleep(POLL_MS);
  }
}

function killGroup(pid: number, again: boolean, deadline: number): void {
  if (again && Date.now() < deadline) return;
  try {
    process.kill(-pid, again ? 'SIGKILL' : 'SIGTERM');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
