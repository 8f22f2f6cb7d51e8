import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { MessageOutcome } from '../../workflows/regionLifecycle/messages.js';
import type { RegionStatus } from '../../workflows/regionLifecycle/status.js';
import type { AdjustmentStatus } from '../../workflows/meshAdjustment/messages.js';
import { adjustmentWorkflowId, regionWorkflowId } from '../../workflows/shared/names.js';
import type { TestTemporal } from './environment.js';
import { eventually, startTestTemporal } from './environment.js';
import { ScriptedRegion } from './scriptedActivities.js';

jest.setTimeout(240_000);

let temporal: TestTemporal;

beforeAll(async () => {
  // The server suggests a new run after so few events that a test sees several.
  temporal = await startTestTemporal(['--dynamic-config-value', 'limit.historyCount.suggestContinueAsNew=60']);
});

afterAll(async () => {
  await temporal.stop();
});

describe('continue-as-new', () => {
  it('keeps state, keys and overrides of the region, and the adjustment runs on across runs of both', async () => {
    const name = 'long-lived';
    const outside = new ScriptedRegion();
    const worker = await temporal.worker(name, outside.activities());
    const { client } = temporal.env;
    await worker.runUntil(async () => {
      const first = await client.workflow.start('regionLifecycle', {
        workflowId: regionWorkflowId(name),
        taskQueue: name,
        args: [name],
      });
      // Handles by id follow the chain; the one that started it is bound to its first run.
      const region = client.workflow.getHandle(regionWorkflowId(name));
      const adjustment = client.workflow.getHandle(adjustmentWorkflowId(name));
      const message = (key: string, value: number): Record<string, unknown> => {
        return { key, who: 'ada', why: 'test', address: 'shop.rateLimit.rps', value };
      };
      await eventually('operating', async () => (await region.query<RegionStatus>('status')).tuner.state === 'running');
      const outcome = await region.executeUpdate<MessageOutcome, [unknown]>('override', { args: [message('one', 41)] });
      expect(outcome.accepted).toBe(true);
      for (let i = 0; i < 12; i += 1) await region.signal('override', message(`more-${i}`, 50 + i));

      await eventually(
        'a new run of the region',
        async () => (await region.describe()).runId !== first.firstExecutionRunId,
      );
      const run = (await adjustment.describe()).runId;
      await eventually('a new run of the adjustment', async () => (await adjustment.describe()).runId !== run, 40_000);

      const status = await eventually('the last override', async () => {
        const now = await region.query<RegionStatus>('status');
        return now.overrides[0]?.value === 61 ? now : null;
      });
      expect(status.completed).toEqual(['forecast', 'plan', 'pre-deploy', 'await-stack', 'activate']);
      expect(outside.calls.filter((call) => call === 'acceptRegion' || call === 'planRegion')).toHaveLength(2);
      const again = await region.executeUpdate<MessageOutcome, [unknown]>('override', { args: [message('one', 41)] });
      expect(again).toEqual(outcome);
      expect((await region.query<RegionStatus>('status')).overrides[0]?.value).toBe(61);
      const tuning = await adjustment.query<AdjustmentStatus>('status');
      await eventually(
        'ticks go on',
        async () => (await adjustment.query<AdjustmentStatus>('status')).ticks > tuning.ticks,
      );
      await region.terminate();
      await adjustment.terminate();
    });
  });
});
