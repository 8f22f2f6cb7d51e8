import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Client } from '@temporalio/client';
import { WorkflowFailedError } from '@temporalio/client';
import { connectClient } from '../../workers/connect.js';
import { TASK_QUEUE, adjustmentWorkflowId, regionWorkflowId } from '../../workflows/shared/names.js';
import { stopPlaybooks } from '../playbooks.js';
import { projectRoot } from '../run.js';
import { startTemporal } from '../temporalServer.js';
import { startWorkerProcess } from '../workerProcess.js';
import type { World } from '../world.js';
import { startWorld } from '../world.js';
import type { Person } from './person.js';
import { isOperating, launchRegion, sendUndecodable } from './person.js';
import type { CapturedRun } from './save.js';
import { captureWorkflow } from './save.js';

/** Lives on real parts: Envoy, Ansible, an application and its users, the worker in its own process. */
interface RealLife {
  name: string;
  region: string;
  adjustment: string;
  /** Adjustments that must be found. */
  adjustments: number;
  live(person: Person, scene: Scene): Promise<void>;
}

interface Scene {
  world: World;
  address: string;
}

/** As short as judgements still come out; the same steps as ever. */
const PACE = { judgeSeconds: 5, tickSeconds: 2, startupSeconds: 0.5, seed: 7 };
const EXPIRES_AFTER_MS = 5000;

const UNDISTURBED: RealLife = {
  name: 'undisturbed',
  region: 'the whole life from forecast to operation, nobody interfering',
  adjustment: 'five ticks, nobody interfering',
  adjustments: 1,
  live: async ({ until, untilTuner }) => {
    await until('operating', isOperating);
    await untilTuner('five ticks', ({ ticks }) => ticks >= 5);
  },
};

const STEERED: RealLife = {
  name: 'steered',
  region:
    'every message: a playbook that fails and retry; refused signals; freeze in activation; overrides, one expires; rollback; resume; cancelled adjustment',
  adjustment: 'copies, hold, run, cancellation by hand, and the one that resume started',
  adjustments: 2,
  live: async (person, { world, address }) => {
    const { region, until } = person;
    const obstacle = path.join(world.directory, 'hosts', 'edge-1', 'bin');
    mkdirSync(path.dirname(obstacle), { recursive: true });
    writeFileSync(obstacle, 'a file where a folder has to be');
    await until('a playbook that fails', ({ blocked }) => blocked?.reason === 'deploy-failed');
    await sendUndecodable(address, region.workflowId, 'override');
    await region.signal('freez', { key: 'typo' });
    await until('both refused', ({ refused }) => refused.total === 2);
    rmSync(obstacle);
    await person.update('retry');
    await until('in activation', ({ activation }) => activation.length > 0);
    await person.update('freeze');
    await person.update('resume');
    await until('operating', isOperating);
    await steerOperation(person);
  },
};

async function steerOperation({ adjustment, until, untilTuner, update, signal }: Person): Promise<void> {
  await untilTuner('a tick', ({ ticks }) => ticks > 0);
  await update('override', { address: 'storefront.rateLimit.rps', value: 90 });
  const expires = new Date(Date.now() + EXPIRES_AFTER_MS).toISOString();
  await update('override', { address: 'storefront.timeout.requestMs', value: 5000, until: expires });
  await signal('clear-override', { address: 'storefront.rateLimit.rps' });
  await until('cleared and expired', ({ overrides }) => overrides.length === 0);
  await signal('freeze');
  await until('frozen', ({ freeze }) => freeze !== null);
  await signal('override', { address: 'checkout.weight.eu-west', value: 50 });
  await until('overridden', ({ overrides }) => overrides.length === 1);
  const { deployments } = await until('deployments', isOperating);
  await update('rollback', { to: deployments.find((d) => d.kind === 'stage' && d.localPercent === 25)?.id });
  await update('resume');
  await update('retry', {}, false);
  await untilTuner('a tick', ({ lastTick, held }) => !held && lastTick !== null);
  await adjustment.cancel();
  await until('stopped', ({ tuner }) => tuner.state === 'tuner-stopped');
  await update('clear-override', { address: 'checkout.weight.eu-west' });
  await update('resume');
  await until('operating again', isOperating);
  await untilTuner('a tick of the next one', ({ ticks }) => ticks > 0);
}

export async function captureReal(say: (line: string) => void): Promise<readonly CapturedRun[]> {
  const directory = mkdtempSync(path.join(tmpdir(), 'psmg-capture-'));
  const stateDirectory = path.join(directory, 'state');
  const temporal = await startTemporal({
    ui: false,
    address: '',
    logFile: path.join(directory, 'logs', 'temporal.log'),
  });
  const worker = await startWorkerProcess({ directory, temporalAddress: temporal.address, stateDirectory });
  const client = await connectClient({ connection: { address: temporal.address }, namespace: 'default' });
  try {
    const captured = [await captureRefusedFile(client)];
    for (const life of [UNDISTURBED, STEERED]) {
      say(`living ${life.name}`);
      captured.push(...(await capture(client, life, path.join(directory, life.name), temporal.address)));
    }
    return captured;
  } finally {
    await client.connection.close();
    await worker.stop(15_000);
    await stopPlaybooks(path.join(stateDirectory, 'deployments'));
    await temporal.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

async function captureRefusedFile(client: Client): Promise<CapturedRun> {
  const file = path.join(projectRoot, 'test', 'fixtures', 'regions', 'five-mistakes.yaml');
  const { region } = await launchRegion(client, 'five-mistakes', TASK_QUEUE, readFileSync(file));
  const ended: unknown = await region.result().catch((error: unknown) => error);
  const said = ended instanceof WorkflowFailedError ? (ended.cause?.message ?? '') : 'the file was accepted';
  if (!said.includes('5 problems')) throw new Error(`a file with five mistakes: ${said}`);
  const reason = 'a region file with five mistakes, as bytes: the start fails with all of them named';
  const workflow = { workflowId: region.workflowId, name: 'refused-file-region', reason, runs: 1 };
  const [run] = await captureWorkflow(client, workflow, 0);
  if (run === undefined) throw new Error('no run was found');
  return run;
}

async function capture(
  client: Client,
  life: RealLife,
  directory: string,
  address: string,
): Promise<readonly CapturedRun[]> {
  const sinceMs = Date.now();
  const world = await startWorld({ directory, ...PACE });
  try {
    const { name } = world.spec;
    // As bytes, as `temporal workflow start --input-file` sends it.
    const person = await launchRegion(client, name, TASK_QUEUE, Buffer.from(world.regionText));
    await life.live(person, { world, address });
    const region = { workflowId: regionWorkflowId(name), name: `${life.name}-region`, reason: life.region, runs: 1 };
    const tuner = { workflowId: adjustmentWorkflowId(name), name: `${life.name}-adjustment`, reason: life.adjustment };
    return [
      ...(await captureWorkflow(client, region, sinceMs)),
      ...(await captureWorkflow(client, { ...tuner, runs: life.adjustments }, sinceMs)),
    ];
  } finally {
    await world.stop();
  }
}
