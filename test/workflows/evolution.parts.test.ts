import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { WorkflowFailedError } from '@temporalio/client';
import type { WorkflowHandle } from '@temporalio/client';
import { Worker } from '@temporalio/worker';
import { versioningOf } from '../../workers/deploymentVersion.js';
import type { AdjustmentStatus } from '../../workflows/meshAdjustment/messages.js';
import type { MessageName, MessageOutcome } from '../../workflows/regionLifecycle/messages.js';
import type { RegionStatus } from '../../workflows/regionLifecycle/status.js';
import { adjustmentWorkflowId, regionWorkflowId } from '../../workflows/shared/names.js';
import type { TestTemporal } from './environment.js';
import { eventually, startTestTemporal } from './environment.js';
import { ScriptedRegion } from './scriptedActivities.js';

jest.setTimeout(240_000);

const root = fileURLToPath(new URL('../../', import.meta.url));

let temporal: TestTemporal;

beforeAll(async () => {
  temporal = await startTestTemporal();
});

afterAll(async () => {
  await temporal.stop();
});

const statusOf = (handle: WorkflowHandle): Promise<RegionStatus> => handle.query<RegionStatus>('status');

const operating = (status: RegionStatus): boolean => status.phase === 'operating' && status.tuner.state === 'running';

const message = (key: string, fields = {}): Record<string, unknown> => ({ key, who: 'ada', why: 'test', ...fields });

const update = (handle: WorkflowHandle, name: MessageName, key: string, fields = {}): Promise<MessageOutcome> =>
  handle.executeUpdate<MessageOutcome, [unknown]>(name, { args: [message(key, fields)] });

async function startRegion(name: string): Promise<WorkflowHandle> {
  const { client } = temporal.env;
  await client.workflow.start('regionLifecycle', {
    workflowId: regionWorkflowId(name),
    taskQueue: name,
    args: [name],
  });
  // By id alone, so that it follows the chain.
  return client.workflow.getHandle(regionWorkflowId(name));
}

async function endRegion(name: string): Promise<void> {
  for (const id of [regionWorkflowId(name), adjustmentWorkflowId(name)]) {
    await temporal.env.client.workflow
      .getHandle(id)
      .terminate()
      .catch(() => undefined);
  }
}

describe('Worker Versioning', () => {
  const deploymentName = 'psmg-test';

  const workerOf = (buildId: string, taskQueue: string, outside: ScriptedRegion): Promise<Worker> =>
    Worker.create({
      connection: temporal.env.nativeConnection,
      taskQueue,
      workflowBundle: temporal.bundle,
      activities: outside.activities(),
      stickyQueueScheduleToStartTimeout: '1 second',
      ...versioningOf({ deploymentName, buildId }),
    });

  /** As `temporal worker deployment set-current-version` does; the server must have heard of the build first. */
  async function makeCurrent(buildId: string): Promise<void> {
    const { connection, options } = temporal.env.client;
    const { namespace } = options;
    await eventually(`${buildId} current`, async () => {
      const request = { namespace, deploymentName, buildId, identity: 'test' };
      await connection.workflowService.setWorkerDeploymentCurrentVersion(request);
      return true;
    });
  }

  async function versionOf(id: string): Promise<{ runId: string; buildId: string | undefined }> {
    const { runId, raw } = await temporal.env.client.workflow.getHandle(id).describe();
    return { runId, buildId: raw.workflowExecutionInfo?.versioningInfo?.deploymentVersion?.buildId ?? undefined };
  }

  it('a region and its adjustment stay on their build until a new run, which is of the current one, and write nothing for it', async () => {
    const name = 'versioned';
    const outside = new ScriptedRegion();
    const a = await workerOf('A', name, outside);
    const runA = a.run();
    await makeCurrent('A');
    const region = await startRegion(name);
    await eventually('operating', async () => operating(await statusOf(region)));
    const [before, tunerBefore] = [await versionOf(region.workflowId), await versionOf(adjustmentWorkflowId(name))];
    expect([before.buildId, tunerBefore.buildId]).toEqual(['A', 'A']);
    const written = [...outside.writes];

    const b = await workerOf('B', name, outside);
    const runB = b.run();
    await makeCurrent('B');
    const after = await eventually('the region on B', async () => {
      const now = await versionOf(region.workflowId);
      return now.buildId === 'B' ? now : null;
    });
    const tuner = await eventually('the adjustment on B', async () => {
      const now = await versionOf(adjustmentWorkflowId(name));
      return now.buildId === 'B' ? now : null;
    });
    expect(after.runId).not.toBe(before.runId);
    expect(tuner.runId).not.toBe(tunerBefore.runId);
    a.shutdown();
    await runA;
    const status = await statusOf(region);
    expect(operating(status)).toBe(true);
    expect(outside.writes).toEqual(written);
    // They still work together: an override goes from the one to the other.
    expect(await update(region, 'override', 'o', { address: 'shop.rateLimit.rps', value: 40 })).toMatchObject({
      accepted: true,
    });
    expect(outside.writes).toHaveLength(written.length + 1);
    await endRegion(name);
    b.shutdown();
    await runB;
  });
});

describe('the start of a region', () => {
  it('is refused non-retryably under an id that is not its own, with what to do', async () => {
    const outside = new ScriptedRegion();
    const worker = await temporal.worker('other-id', outside.activities());
    const { client } = temporal.env;
    const failure = await worker.runUntil(
      client.workflow
        .execute('regionLifecycle', { workflowId: 'region/typo', taskQueue: 'other-id', args: ['eu-west'] })
        .catch((error: unknown) => error),
    );
    expect(failure).toBeInstanceOf(WorkflowFailedError);
    expect((failure as WorkflowFailedError).cause).toMatchObject({
      type: 'invalid-region',
      nonRetryable: true,
      message: expect.stringContaining('start it with --workflow-id region/eu-west'),
    });
    expect(outside.calls).toEqual(['acceptRegion']);
  });

  it('answers status while the file is read, and takes what came before in the order in which it came', async () => {
    const name = 'early';
    const outside = new ScriptedRegion();
    let read = (): void => undefined;
    const reading = new Promise<void>((resolve) => (read = resolve));
    outside.during = async (activity) => (activity === 'acceptRegion' ? reading : undefined);
    const { client } = temporal.env;
    const region = client.workflow.getHandle(regionWorkflowId(name));
    // All of it waits for the first workflow task, as after continue-as-new.
    await client.workflow.signalWithStart('regionLifecycle', {
      ...{ workflowId: region.workflowId, taskQueue: name, args: [name] },
      ...{ signal: 'freez', signalArgs: [message('typo')], workflowTaskTimeout: '2 seconds' },
    });
    const value = (rps: number): Record<string, unknown> => ({ address: 'shop.rateLimit.rps', value: rps });
    await region.signal('resume', message('resume'));
    await region.signal('override', message('one', value(41)));
    await region.signal('freeze', message('freeze'));
    await region.signal('no-such', message('other typo'));
    await region.signal('clear-override', message('clear', { address: 'shop.rateLimit.rps' }));
    const worker = await temporal.worker(name, outside.activities());
    await worker.runUntil(async () => {
      expect(await statusOf(region)).toMatchObject({ region: name, phase: 'accepting', planHash: null });
      const overridden = update(region, 'override', 'two', value(42));
      // Sent only when the update has arrived.
      await eventually('the update is there', async () => {
        const { events } = await region.fetchHistory();
        return events?.some(
          (event) =>
            event.workflowExecutionUpdateAcceptedEventAttributes !== undefined &&
            event.workflowExecutionUpdateAcceptedEventAttributes !== null,
        );
      });
      read();
      expect(await overridden).toMatchObject({ accepted: true });
      const status = await statusOf(region);
      expect(status.refused.last.map((refused) => refused.name)).toEqual(['freez', 'no-such']);
      // The override that was cleared came first, the freeze after the resume.
      expect(status.overrides.map((override) => override.value)).toEqual([42]);
      expect(status.freeze?.who).toBe('ada');
      await endRegion(name);
    });
  });
});

describe('psmg worker verify', () => {
  const psmg = (taskQueue: string, ...args: string[]): Promise<{ code: number; out: string; err: string }> =>
    new Promise((resolve) => {
      const command = [
        path.join(root, 'bin', 'psmg.js'),
        'worker',
        'verify',
        '--address',
        temporal.env.address,
        ...args,
      ];
      const env = { ...process.env, PSMG_TASK_QUEUE: taskQueue };
      execFile(process.execPath, command, { cwd: root, env }, (error, out, err) => {
        resolve({ code: error === null ? 0 : Number(error.code), out, err });
      });
    });

  it('replays what a server holds against a build, and names the workflow, the run and the event of what breaks', async () => {
    const name = 'verified';
    const outside = new ScriptedRegion();
    const worker = await temporal.worker(name, outside.activities());
    await worker.runUntil(async () => {
      const region = await startRegion(name);
      await eventually('operating', async () => operating(await statusOf(region)));
    });
    const { runId } = await temporal.env.client.workflow.getHandle(regionWorkflowId(name)).describe();
    await eventually('both are listed', async () => {
      const listed = temporal.env.client.workflow.count(`TaskQueue = '${name}'`);
      return (await listed).count === 2;
    });
    const folder = mkdtempSync(path.join(tmpdir(), 'psmg-verify-'));
    try {
      symlinkSync(path.join(root, 'node_modules'), path.join(folder, 'node_modules'));
      cpSync(path.join(root, 'workflows'), path.join(folder, 'workflows'), { recursive: true });
      const steps = path.join(folder, 'workflows', 'regionLifecycle', 'steps.ts');
      const code = readFileSync(steps, 'utf8');
      const changed = code.replace('await exportTargets({', 'await readBack({ intent: intentOf(state),');
      expect(changed).not.toBe(code);
      writeFileSync(steps, changed);
      const [fine, broken] = [
        await psmg(name),
        await psmg(name, '--workflows', path.join(folder, 'workflows'), '--format', 'json'),
      ];
      expect(fine).toMatchObject({ code: 0, out: expect.stringContaining(`${regionWorkflowId(name)}: replays`) });
      expect(broken.code).toBe(1);
      const { results } = JSON.parse(broken.out) as { results: { workflowId: string; error: string | null }[] };
      expect(results.filter(({ error }) => error !== null)).toEqual([
        expect.objectContaining({
          ...{ workflowId: regionWorkflowId(name), workflowType: 'regionLifecycle', runId },
          event: { id: expect.any(Number), what: 'ActivityTaskScheduled exportTargets' },
        }),
      ]);
    } finally {
      rmSync(folder, { recursive: true });
    }
    expect((await psmg('nothing-is-here')).code).toBe(0);
    expect((await psmg(name, '--query', 'no query at all')).code).toBe(2);
    await endRegion(name);
  });
});

describe('a state that was handed on', () => {
  it('of a newer build fails the run before it does anything', async () => {
    const name = 'from-the-future';
    const outside = new ScriptedRegion();
    const worker = await temporal.worker(name, outside.activities());
    const adjustment = await temporal.env.client.workflow.start('meshAdjustment', {
      workflowId: adjustmentWorkflowId(name),
      taskQueue: name,
      args: [{ region: name }, { schema: 99, region: name }],
    });
    const failure = await worker.runUntil(adjustment.result().catch((error: unknown) => error));
    expect((failure as WorkflowFailedError).cause).toMatchObject({
      type: 'unknown-state',
      nonRetryable: true,
      message: expect.stringContaining('schema 99'),
    });
    expect(outside.calls).toEqual([]);
  });

  it('of this build is taken over whole by a new run that a person asks for', async () => {
    const name = 'asked-for';
    const outside = new ScriptedRegion();
    const worker = await temporal.worker(name, outside.activities());
    await worker.runUntil(async () => {
      const region = await startRegion(name);
      await eventually('operating', async () => operating(await statusOf(region)));
      const long = 'a key of more than twenty-two characters';
      const first = await update(region, 'override', long, { address: 'shop.rateLimit.rps', value: 40 });
      const { runId } = await region.describe();
      const before = await statusOf(region);
      const written = outside.writes.length;
      expect(await update(region, 'continue-as-new', 'can')).toMatchObject({ accepted: true });
      await eventually('a new run', async () => (await region.describe()).runId !== runId);
      const after = await statusOf(region);
      expect({ ...after, audit: null, tuner: null }).toEqual({ ...before, audit: null, tuner: null });
      expect(outside.writes).toHaveLength(written);
      expect(await update(region, 'override', long, { address: 'shop.rateLimit.rps', value: 40 })).toEqual(first);
      expect(outside.writes).toHaveLength(written);
      const tuner = await temporal.env.client.workflow
        .getHandle(adjustmentWorkflowId(name))
        .query<AdjustmentStatus>('status');
      expect(tuner.frozen).toBe(false);
      await endRegion(name);
    });
  });
});
