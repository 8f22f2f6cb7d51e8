import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Client, WorkflowHandle } from '@temporalio/client';
import type { Document } from 'yaml';
import type { RegionSpec } from '../../core/spec/region.js';
import { locatePart } from '../../scripts/parts/locate.js';
import { waitFor } from '../../testbed/http.js';
import { stopProxies } from '../../testbed/proxies.js';
import type { RunningProcess } from '../../testbed/processes.js';
import { projectRoot } from '../../testbed/run.js';
import { startTemporal } from '../../testbed/temporalServer.js';
import { startWorkerProcess } from '../../testbed/workerProcess.js';
import type { World } from '../../testbed/world.js';
import { startWorld } from '../../testbed/world.js';
import { connectClient } from '../../workers/connect.js';
import type { RegionStatus } from '../../workflows/regionLifecycle/status.js';
import { REGION_WORKFLOW_TYPE, TASK_QUEUE, regionWorkflowId } from '../../workflows/shared/names.js';

/** What a program printed, and its exit code. */
export interface Said {
  code: number;
  stdout: string;
  stderr: string;
}

/** A real Temporal server, a real region with its neighbour and users, and the worker as people run it. */
export interface Place {
  world: World;
  client: Client;
  /** The lifecycle of the world's region, launched or not. */
  region: WorkflowHandle;
  /** Artifacts, metrics and deployment runs of the worker. */
  stateDirectory: string;
  /** Where Temporal's own user interface is; undefined where it was not asked for. */
  uiUrl: string | undefined;
  host: RegionSpec['delivery']['hosts'][number];
  /** Folder of the deployment run whose id ends with `suffix`; undefined when there is none yet. */
  runFolder(suffix: 'apply' | 'verify'): string | undefined;
  startWorker(): Promise<RunningProcess>;
  /** By the command of the README. */
  launch(): Promise<void>;
  status(): Promise<RegionStatus>;
  /** Polls the status until `check` holds; fails at once when the region is blocked and `check` does not want that. */
  until(what: string, timeoutMs: number, check: (status: RegionStatus) => boolean): Promise<RegionStatus>;
  /** The `temporal` command line, at this server. */
  temporal(...args: string[]): Promise<Said>;
  /** `psmg`, with this server and this state. */
  psmg(...args: string[]): Promise<Said>;
  /** What `psmg … --format json` printed; throws with its own words when that is no JSON. */
  psmgJson(...args: string[]): Promise<unknown>;
  /** Any other program. */
  run(command: string, ...args: string[]): Promise<Said>;
  /** Ends everything that was started, detached playbooks and proxies included, and removes the folder. */
  stop(): Promise<void>;
}

export interface PlaceOptions {
  autonomy?: RegionSpec['autonomy'];
  /** Longer: more time to interfere with a judgement. */
  judgeSeconds?: number;
  /** Longer: fewer events, for whoever draws each of them. Absent: 2. */
  tickSeconds?: number;
  /** Temporal's own user interface too; absent: without. */
  ui?: boolean;
}

/** One a test file. Demand is slow, windows are short and few requests decide, so that a life takes half a minute. */
export async function startPlace(options: PlaceOptions = {}): Promise<Place> {
  const directory = mkdtempSync(path.join(tmpdir(), 'psmg-capability-'));
  const stops: (() => Promise<void>)[] = [async () => rmSync(directory, { recursive: true, force: true })];
  const stop = async (): Promise<void> => {
    const problems: unknown[] = [];
    for (const end of stops.splice(0).reverse()) await end().catch((error: unknown) => problems.push(error));
    if (problems.length > 0) throw new AggregateError(problems, `not everything stopped: ${problems.join('; ')}`);
  };
  try {
    const control = path.join(directory, 'control');
    const logFile = path.join(control, 'logs', 'temporal.log');
    const [temporal, world] = await settleBoth(
      startTemporal({ ui: options.ui ?? false, logFile, address: '' }),
      startWorld({
        directory: path.join(directory, 'world'),
        demandFrom: '2012-04-18T08:00:00Z',
        speed: 60,
        rateScale: 0.25,
        judgeSeconds: options.judgeSeconds ?? 2,
        tickSeconds: options.tickSeconds ?? 2,
        startupSeconds: 0.5,
        autonomy: options.autonomy ?? 'act',
        change: quicken,
      }),
      stops,
    );
    const { address, uiUrl } = temporal;
    const client = await connectClient({ connection: { address }, namespace: 'default' });
    stops.push(async () => client.connection.close());
    const stateDirectory = path.join(directory, 'state');
    return place({ directory: control, world, client, stateDirectory, address, uiUrl, stops, stop });
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Starts both at once; what did start is stopped later even when the other did not. */
async function settleBoth<A extends { stop(): Promise<void> }, B extends { stop(): Promise<void> }>(
  one: Promise<A>,
  other: Promise<B>,
  stops: (() => Promise<void>)[],
): Promise<[A, B]> {
  const settled = await Promise.allSettled([one, other]);
  for (const result of settled) if (result.status === 'fulfilled') stops.push(async () => result.value.stop());
  return Promise.all([one, other]);
}

/**
 * Two steps instead of four, and verdicts on a handful of requests. The machine that runs tests is busy and its
 * latency says nothing of the region: it may be slow, and be asked again.
 */
function quicken(file: Document): void {
  file.setIn(['activation', 'steps'], file.createNode([50, 100], { flow: true }));
  file.setIn(['activation', 'minRequests'], 10);
  file.setIn(['activation', 'maxInconclusive'], 20);
  for (let i = 0; file.hasIn(['services', i]); i += 1) {
    const place = ['services', i, 'slo', 'p99Ms'];
    file.setIn(place, Number(file.getIn(place)) * 4);
  }
}

interface Parts {
  directory: string;
  world: World;
  client: Client;
  stateDirectory: string;
  address: string;
  uiUrl: string | undefined;
  stops: (() => Promise<void>)[];
  stop(): Promise<void>;
}

function place({ directory, world, client, stateDirectory, address, uiUrl, stops, stop }: Parts): Place {
  const { name, delivery } = world.spec;
  const [host] = delivery.hosts;
  if (host === undefined) throw new Error(`${name} has no host`);
  const region = client.workflow.getHandle(regionWorkflowId(name));
  const runs = path.join(stateDirectory, 'deployments', name);
  stops.push(async () => {
    await endPlaybooks(runs, host.python);
    await stopProxies(path.dirname(host.directory));
  });
  const status = async (): Promise<RegionStatus> => region.query<RegionStatus>('status');
  const environment = { TEMPORAL_ADDRESS: address, PSMG_STATE: stateDirectory };
  const temporal: Place['temporal'] = async (...args) =>
    run(locatePart('temporal'), [...args, '--address', address], {});
  const psmg: Place['psmg'] = async (...args) =>
    run(process.execPath, [path.join(projectRoot, 'bin', 'psmg.js'), ...args], environment);
  let workers = 0;
  return {
    world,
    client,
    region,
    stateDirectory,
    uiUrl,
    host,
    status,
    stop,
    runFolder: (suffix) => runFolders(runs).find((folder) => folder.endsWith(`-${suffix}`)),
    startWorker: async () => {
      workers += 1;
      const options = { directory, temporalAddress: address, stateDirectory, name: `worker-${workers}` };
      const worker = await startWorkerProcess(options);
      stops.push(async () => worker.stop(15_000));
      return worker;
    },
    launch: async () => {
      const how = ['--type', REGION_WORKFLOW_TYPE, '--task-queue', TASK_QUEUE, '--workflow-id', region.workflowId];
      const input = ['--input-file', world.regionFile, '--input-meta', 'encoding=binary/plain'];
      const { code, stderr } = await temporal('workflow', 'start', ...how, ...input);
      if (code !== 0) throw new Error(`the region was not launched: ${stderr}`);
    },
    until: async (what, timeoutMs, check) => {
      let last: RegionStatus | undefined;
      const found = await waitFor(what, timeoutMs, async () => {
        last = await status();
        return check(last) || last.phase === 'blocked' || last.phase === 'aborted';
      }).catch((error: unknown) => {
        throw new Error(`${String(error)}; the region is ${describe(last)}`);
      });
      if (!found || last === undefined || !check(last)) throw new Error(`${what}: the region is ${describe(last)}`);
      return last;
    },
    run: async (command, ...args) => run(command, args, {}),
    temporal,
    psmg,
    psmgJson: async (...args) => {
      const { code, stdout, stderr } = await psmg(...args, '--format', 'json');
      try {
        return JSON.parse(stdout) as unknown;
      } catch {
        throw new Error(`psmg ${args.join(' ')} ended with ${code}: ${stdout}${stderr}`);
      }
    },
  };
}

function describe(status: RegionStatus | undefined): string {
  if (status === undefined) return 'not answering';
  const { phase, blocked, activation } = status;
  return JSON.stringify({ phase, blocked, activation: activation.slice(-2) });
}

function runFolders(runs: string): string[] {
  if (!existsSync(runs)) return [];
  const folders = readdirSync(runs, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return folders.map((folder) => path.join(runs, folder.name));
}

/** A playbook outlives its worker on purpose; one that a failed test left behind would outlive the test as well. */
async function endPlaybooks(runs: string, python: string): Promise<void> {
  const supervisor = path.join(projectRoot, 'adapters', 'delivery', 'supervise.py');
  for (const folder of runFolders(runs)) {
    const isRunning = async (): Promise<boolean> =>
      (await run(python, [supervisor, 'probe', folder], {})).stdout.trim() === 'running';
    const record = path.join(folder, 'supervisor.json');
    if (!existsSync(record) || !(await isRunning())) continue;
    const { pid } = JSON.parse(readFileSync(record, 'utf8')) as { pid: number };
    process.kill(-pid, 'SIGTERM');
    await waitFor(`the end of ${folder}`, 15_000, async () => !(await isRunning()));
  }
}

function run(command: string, args: readonly string[], environment: Record<string, string>): Promise<Said> {
  return new Promise((resolve) => {
    const options = { cwd: projectRoot, env: { ...process.env, ...environment }, timeout: 60_000 };
    execFile(command, args, { ...options, maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
      resolve({ code, stdout, stderr });
    });
  });
}
