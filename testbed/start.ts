import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { Client } from '@temporalio/client';
import { connectClient } from '../workers/connect.js';
import { REGION_WORKFLOW_TYPE, TASK_QUEUE, adjustmentWorkflowId, regionWorkflowId } from '../workflows/shared/names.js';
import type { AdjustmentStatus } from '../workflows/meshAdjustment/messages.js';
import type { RegionStatus } from '../workflows/regionLifecycle/status.js';
import { stopPlaybooks } from './playbooks.js';
import type { RunningProcess } from './processes.js';
import { Incident, SLOW_PAYMENTS } from './incident.js';
import { stopLeftovers } from './processes.js';
import { stopProxies } from './proxies.js';
import { projectRoot } from './run.js';
import type { RunSummary } from './summary.js';
import { summarise } from './summary.js';
import type { TemporalServer } from './temporalServer.js';
import { startTemporal } from './temporalServer.js';
import { adjustmentNews, regionNews } from './view/news.js';
import { PlaybookTail } from './view/playbook.js';
import { serviceTable } from './view/table.js';
import { startWorkerProcess } from './workerProcess.js';
import type { World } from './world.js';
import { startWorld } from './world.js';

const HELP = `npm start [-- options]: a region from forecast to operation, on real parts
  --once            run to operating plus three ticks, print a summary, stop everything, exit 0 when all checks hold
  --no-launch       start everything but the region; print the command that launches it, and watch
  --no-incident     leave out the dependency that slows down for a while once the region operates
  --quick           shorter judging windows and ticks, as with --once
  --summary FILE    write the summary as JSON
  --directory DIR   where everything of the run goes (default .psmg/start)
  --speed N         demand seconds in one wall second (default as in the example region)
  --autonomy LEVEL  observe | suggest | approve | act (default as in the example region)
`;

/** Where Temporal's tools look when they are not told. */
const DEFAULT_ADDRESS = '127.0.0.1:7233';
const WANTED_TICKS = 3;
const POLL_MS = 400;
/** With \`--once\`, set-up not included. */
const ONCE_DEADLINE_MS = 8 * 60_000;
const TABLE_EVERY_MS = 10_000;

interface Options {
  once: boolean;
  incident: boolean;
  launch: boolean;
  quick: boolean;
  summary?: string;
  directory: string;
  speed?: number;
  autonomy?: 'observe' | 'suggest' | 'approve' | 'act';
}

interface Run {
  temporal: TemporalServer;
  world: World;
  client: Client;
  stateDirectory: string;
  startedMs: number;
}

async function main(): Promise<void> {
  const options = readOptions();
  const { directory } = options;
  await stopLeftovers(controlFolder(directory));
  await stopPlaybooks(runsFolder(stateFolder(directory)));
  await stopLeftovers(worldFolder(directory));
  await stopLeftovers(path.join(worldFolder(directory), 'neighbour'));
  await stopProxies(path.join(worldFolder(directory), 'hosts'));
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });

  const startedMs = Date.now();
  const stops: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    for (const end of stops.splice(0).reverse()) await end();
  };
  const interrupted = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => interrupted.abort());
  const say = (line: string): void => {
    const at = ((Date.now() - startedMs) / 1000).toFixed(1).padStart(7);
    process.stdout.write(`${at} s  ${line}\n`);
  };
  try {
    const run = await startEverything(options, stops, say, startedMs);
    const summary = await watch(run, options, interrupted.signal, say);
    if (summary !== null) finish(summary, options, say);
  } finally {
    say('stopping what was started');
    await stop();
    say('stopped');
  }
}

/** Temporal and the worker; apart from the world, which ends what an earlier run left in its own folder. */
function controlFolder(directory: string): string {
  return path.join(directory, 'control');
}

function worldFolder(directory: string): string {
  return path.join(directory, 'world');
}

function stateFolder(directory: string): string {
  return path.join(directory, 'state');
}

/** Where the worker keeps the runs of playbooks. */
function runsFolder(stateDirectory: string): string {
  return path.join(stateDirectory, 'deployments');
}

/** A playbook goes on without its worker, and the worker waits for it: both are told, and what is left is ended. */
async function stopWorker(worker: RunningProcess, stateDirectory: string): Promise<void> {
  const stopped = worker.stop(15_000);
  await stopPlaybooks(runsFolder(stateDirectory));
  await stopped;
  await stopPlaybooks(runsFolder(stateDirectory));
}

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      once: { type: 'boolean', default: false },
      'no-incident': { type: 'boolean', default: false },
      'no-launch': { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      summary: { type: 'string' },
      directory: { type: 'string', default: path.join('.psmg', 'start') },
      speed: { type: 'string' },
      autonomy: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    process.exit(0);
  }
  const speed = values.speed === undefined ? undefined : Number(values.speed);
  if (speed !== undefined && !(speed > 0)) throw new Error(`--speed must be a number > 0, not "${values.speed}"`);
  const { autonomy } = values;
  if (autonomy !== undefined && !isAutonomy(autonomy)) {
    throw new Error(`--autonomy must be observe, suggest, approve or act, not "${autonomy}"`);
  }
  return {
    once: values.once,
    incident: !values['no-incident'] && !values.once,
    launch: !values['no-launch'],
    quick: values.quick || values.once,
    directory: path.resolve(values.directory),
    ...(values.summary === undefined ? {} : { summary: path.resolve(values.summary) }),
    ...(speed === undefined ? {} : { speed }),
    ...(autonomy === undefined ? {} : { autonomy }),
  };
}

function isAutonomy(text: string): text is NonNullable<Options['autonomy']> {
  return text === 'observe' || text === 'suggest' || text === 'approve' || text === 'act';
}

async function startEverything(
  options: Options,
  stops: (() => Promise<void>)[],
  say: (line: string) => void,
  startedMs: number,
): Promise<Run> {
  const { directory, quick } = options;
  const stateDirectory = stateFolder(directory);
  const control = controlFolder(directory);
  const temporal = await startTemporal({
    dbFile: path.join(directory, 'temporal.db'),
    ui: true,
    defaultPorts: true,
    logFile: path.join(control, 'logs', 'temporal.log'),
    folder: control,
  });
  stops.push(async () => temporal.stop());
  say(`Temporal ${temporal.address}${temporal.uiUrl === undefined ? '' : `, UI ${temporal.uiUrl}`}`);
  const [world, worker] = await Promise.all([
    startWorld({
      directory: worldFolder(directory),
      ...(options.speed === undefined ? {} : { speed: options.speed }),
      ...(options.autonomy === undefined ? {} : { autonomy: options.autonomy }),
      ...(quick ? QUICK_PACE : LIVE_PACE),
    }),
    startWorkerProcess({
      directory: control,
      temporalAddress: temporal.address,
      stateDirectory,
      trainNetworks: !quick,
    }),
  ]);
  stops.push(
    async () => world.stop(),
    async () => stopWorker(worker, stateDirectory),
  );
  say(`neighbour ${world.neighbour.region} serves ${world.spec.name}'s users; worker is polling ${TASK_QUEUE}`);
  const client = await connectClient({ connection: { address: temporal.address }, namespace: 'default' });
  stops.push(async () => client.connection.close());
  return { temporal, world, client, stateDirectory, startedMs };
}

/** Shorter windows, so that a run to operation ends soon; the same judgements on fewer requests. */
const QUICK_PACE = { judgeSeconds: 3, minRequests: 20, tickSeconds: 3, startupSeconds: 1.5 };
const LIVE_PACE = { judgeSeconds: 6, tickSeconds: 5 };

/** Launches through the client, or leaves it to a person; prints what a person would type either way. */
async function launch(run: Run, options: Options, say: (line: string) => void): Promise<void> {
  const { world, client, temporal } = run;
  const { name } = world.spec;
  const id = regionWorkflowId(name);
  const address = temporal.address === DEFAULT_ADDRESS ? '' : ` --address ${temporal.address}`;
  const file = path.relative(process.cwd(), world.regionFile);
  const input = `--input-file ${file} --input-meta encoding=binary/plain`;
  say(options.launch ? 'launching; the same by hand:' : 'launch it from another terminal:');
  say(
    `  temporal workflow start${address} --type ${REGION_WORKFLOW_TYPE} --task-queue ${TASK_QUEUE} --workflow-id ${id} ${input}`,
  );
  if (options.launch) {
    await client.workflow.start(REGION_WORKFLOW_TYPE, {
      workflowId: id,
      taskQueue: TASK_QUEUE,
      args: [world.regionText],
      staticSummary: `life of region ${name}`,
    });
  }
  say('look at it, and stop it:');
  say(`  temporal workflow query${address} --workflow-id ${id} --type status`);
  const freeze = `'{"key":"freeze-1","who":"you","why":"looking"}'`;
  say(`  temporal workflow signal${address} --workflow-id ${id} --name freeze --input ${freeze}`);
  if (temporal.uiUrl !== undefined) {
    say(`  ${temporal.uiUrl}/namespaces/default/workflows/${encodeURIComponent(id)}`);
  }
}

/** Shows what happens until Ctrl-C, or, with `--once`, until the region has operated for three ticks. */
async function watch(
  run: Run,
  options: Options,
  interrupted: AbortSignal,
  say: (line: string) => void,
): Promise<RunSummary | null> {
  const { world, client, stateDirectory } = run;
  const { name } = world.spec;
  const region = client.workflow.getHandle(regionWorkflowId(name));
  const adjustment = client.workflow.getHandle(adjustmentWorkflowId(name));
  const playbook = new PlaybookTail(path.join(runsFolder(stateDirectory), name));
  let status: RegionStatus | null = null;
  let tuning: AdjustmentStatus | null = null;
  let tableAtMs = 0;
  const incident = options.incident ? new Incident(SLOW_PAYMENTS, world) : null;
  await launch(run, options, say);
  while (!interrupted.aborted) {
    const next = await region.query<RegionStatus>('status').catch(() => null);
    for (const line of playbook.news()) say(line);
    if (next !== null) {
      for (const line of regionNews(status, next)) say(line);
      if (status?.phase !== next.phase) await world.load.setPhase(next.phase);
      status = next;
    }
    if (status?.tuner.state === 'running') {
      const now: AdjustmentStatus | null = await adjustment.query<AdjustmentStatus>('status').catch(() => null);
      if (now !== null) {
        for (const line of adjustmentNews(tuning, now)) say(line);
        if (now.lastTick !== null && tuning?.ticks !== now.ticks && Date.now() - tableAtMs > TABLE_EVERY_MS) {
          for (const line of serviceTable(now.lastTick.services)) say(`    ${line}`);
          tableAtMs = Date.now();
        }
        tuning = now;
      }
      const happened = await incident?.step(Date.now());
      if (typeof happened === 'string') say(happened);
    }
    if (options.once && status !== null && isOver(status, tuning, run.startedMs)) break;
    await sleep(POLL_MS, undefined, { signal: interrupted }).catch(() => undefined);
  }
  if (status === null) return null;
  const [application, load] = await Promise.all([world.application.status(), world.load.report()]);
  const finishedAt = new Date().toISOString();
  const startedAt = new Date(run.startedMs).toISOString();
  return summarise({ startedAt, finishedAt, status, adjustment: tuning, application, load, wantedTicks: WANTED_TICKS });
}

function isOver(status: RegionStatus, tuning: AdjustmentStatus | null, startedMs: number): boolean {
  const enough = status.phase === 'operating' && (tuning?.ticks ?? 0) >= WANTED_TICKS;
  const stuck = status.phase === 'blocked' || status.phase === 'aborted';
  return enough || stuck || Date.now() - startedMs > ONCE_DEADLINE_MS;
}

function finish(summary: RunSummary, options: Options, say: (line: string) => void): void {
  say('summary');
  // A run that a person ends with Ctrl-C was not meant to get anywhere.
  const checks = options.once ? summary.checks : [];
  for (const { name, ok, detail } of checks) say(`  ${ok ? 'ok    ' : 'NOT OK'} ${name}: ${detail}`);
  const { totals } = summary.requests;
  say(
    `  ${totals.sent} requests: ${totals.ok2xx} × 2xx, ${totals.limited429} × 429, ${totals.server5xx} × 5xx, ${totals.connectionErrors} broken; p99 ${totals.p99Ms ?? '–'} ms`,
  );
  if (options.summary !== undefined) writeFileSync(options.summary, `${JSON.stringify(summary, null, 2)}\n`);
  if (checks.some((check) => !check.ok)) process.exitCode = 1;
}

process.chdir(projectRoot);
await main();
