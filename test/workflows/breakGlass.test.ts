import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import type { MessageName, MessageOutcome } from '../../workflows/regionLifecycle/messages.js';
import type { RegionStatus } from '../../workflows/regionLifecycle/status.js';
import { adjustmentWorkflowId, regionWorkflowId } from '../../workflows/shared/names.js';
import type { TestTemporal } from './environment.js';
import { conversation } from './conversation.js';
import { eventually, startTestTemporal } from './environment.js';
import { ScriptedRegion } from './scriptedActivities.js';

jest.setTimeout(240_000);

let temporal: TestTemporal;

beforeAll(async () => {
  temporal = await startTestTemporal();
});

afterAll(async () => {
  await temporal.stop();
});

const HASH = 'a'.repeat(64);

describe('repair', () => {
  it('changes what is believed, as far as the targets bear it out, and writes nothing', async () => {
    const name = 'repaired';
    const outside = new ScriptedRegion();
    const worker = await temporal.worker(name, outside.activities());
    const { client } = temporal.env;
    await worker.runUntil(async () => {
      const region = await client.workflow.start('regionLifecycle', {
        ...{ workflowId: regionWorkflowId(name), taskQueue: name, args: [name] },
      });
      const { status, update: send } = conversation<RegionStatus, MessageName>(region);
      const repair = (field: string, value: string | number): Promise<MessageOutcome> =>
        send('repair', { field, value });
      await eventually('operating', async () => (await status()).tuner.state === 'running');
      expect(await repair('epoch', 99)).toMatchObject({
        accepted: false,
        detail: expect.stringMatching(/freeze it first/),
      });

      await send('freeze');
      const written = outside.writes.length;
      expect(await repair('epoch', 99)).toMatchObject({
        accepted: false,
        detail: expect.stringMatching(/adjustment runs/),
      });
      expect(await repair('blocked', 'none')).toMatchObject({ accepted: false, detail: 'nothing is blocked' });
      expect(await repair('tuner', 'none')).toMatchObject({ accepted: true });
      expect((await status()).tuner.state).toBe('tuner-stopped');

      const { epoch, currentHash } = await status();
      expect(await repair('epoch', epoch)).toMatchObject({
        accepted: false,
        detail: expect.stringMatching(/only rises/),
      });
      expect(await repair('epoch', epoch + 7)).toMatchObject({ accepted: true });
      expect(await repair('current-hash', HASH)).toMatchObject({
        accepted: false,
        detail: `that is not what the targets run: edge-1 runs ${currentHash ?? ''}`,
      });
      expect(await repair('current-hash', 'none')).toMatchObject({ accepted: true });
      expect(await status()).toMatchObject({ epoch: epoch + 7, currentHash: null });
      const running = outside.hash;
      outside.hash = HASH;
      expect(await repair('current-hash', HASH)).toMatchObject({ accepted: true });
      outside.faults.readTargets = Array.from({ length: 1 }, () =>
        ApplicationFailure.nonRetryable('no answer', 'target-unreachable'),
      );
      expect(await repair('current-hash', HASH)).toMatchObject({
        accepted: false,
        detail: 'the targets cannot be read: no answer',
      });
      expect(outside.writes).toHaveLength(written);

      outside.hash = running;
      expect(await send('resume')).toMatchObject({ accepted: true });
      const after = await eventually('operating again', async () => {
        const now = await status();
        return now.tuner.state === 'running' && now.phase === 'operating' ? now : null;
      });
      expect(after.epoch).toBeGreaterThan(epoch + 7);
      await region.terminate();
      await client.workflow.getHandle(adjustmentWorkflowId(name)).terminate();
    });
  });

  it('clears a block in operation and does nothing for it', async () => {
    const name = 'cleared';
    const outside = new ScriptedRegion();
    const worker = await temporal.worker(name, outside.activities());
    const { client } = temporal.env;
    await worker.runUntil(async () => {
      const region = await client.workflow.start('regionLifecycle', {
        ...{ workflowId: regionWorkflowId(name), taskQueue: name, args: [name] },
      });
      const { status, update: send } = conversation<RegionStatus, MessageName>(region);
      await eventually('operating', async () => (await status()).tuner.state === 'running');
      outside.faults.restoreDeployment = [ApplicationFailure.nonRetryable('held by another', 'target-held')];
      await send('rollback', { to: 'previous' });
      expect(await status()).toMatchObject({ phase: 'blocked', blocked: { reason: 'target-held' } });
      const { calls, writes } = outside;
      const before = calls.filter((call) => call !== 'recordAudit').length;
      expect(await send('repair', { field: 'blocked', value: 'none' })).toMatchObject({ accepted: true });
      expect(await status()).toMatchObject({ phase: 'operating', blocked: null });
      expect(calls.filter((call) => call !== 'recordAudit').slice(before)).toEqual(['readTargets']);
      expect(writes.filter((write) => write.by === 'restore')).toEqual([]);
      await region.terminate();
      await client.workflow
        .getHandle(adjustmentWorkflowId(name))
        .terminate()
        .catch(() => undefined);
    });
  });
});
