import type { Client, WorkflowHandle } from '@temporalio/client';
import type { RegionActivities, Tunables } from '../../activities/contract.js';
import type { AdjustmentStatus } from '../../workflows/meshAdjustment/messages.js';
import type { MessageName } from '../../workflows/regionLifecycle/messages.js';
import type { RegionStatus } from '../../workflows/regionLifecycle/status.js';
import { adjustmentWorkflowId, regionWorkflowId } from '../../workflows/shared/names.js';
import type { TestTemporal } from './environment.js';
import type { Conversation } from './conversation.js';
import { conversation } from './conversation.js';
import { eventually } from './environment.js';
import { ScriptedRegion } from './scriptedActivities.js';

/** A region over a scripted outside, as its operators see it; handles follow continue-as-new. */
export interface Operated extends Conversation<RegionStatus, MessageName> {
  outside: ScriptedRegion;
  region: WorkflowHandle;
  adjuster: WorkflowHandle;
  adjustment(): Promise<AdjustmentStatus>;
  /** Lets the adjustment tick so many times. */
  ticks(count: number): Promise<void>;
  /** Waits until a workflow goes on in a new run. */
  newRun(handle: WorkflowHandle): Promise<void>;
}

/** Ticks come as fast as a test can follow. */
export const QUICK: Tunables = {
  ...{ tickMs: 100, judgeMs: 100, stackTimeoutMs: 60_000, deployTimeoutMs: 60_000, holdTimeoutMs: 5000 },
  ...{ ticksPerReport: 3, maxOverrides: 3, maxKeys: 50, keyLifetimeMs: 86_400_000 },
};

let serial = 0;

/** Launches a region, runs `test`, and ends what is still running. `change`: activities in place of scripted ones. */
export async function withOperated(
  temporal: TestTemporal,
  prepare: (outside: ScriptedRegion) => Partial<RegionActivities> | void,
  test: (operated: Operated) => Promise<void>,
): Promise<void> {
  serial += 1;
  const name = `operated-${serial}`;
  const outside = new ScriptedRegion();
  const changed = prepare(outside) ?? {};
  outside.accepted = { tunables: QUICK, activationSteps: [100], ...outside.accepted };
  const worker = await temporal.worker(name, { ...outside.activities(), ...changed });
  const { client } = temporal.env;
  await worker.runUntil(async () => {
    const workflowId = regionWorkflowId(name);
    await client.workflow.start('regionLifecycle', { workflowId, taskQueue: name, args: [name] });
    const operated = operate(client, name, outside);
    try {
      await test(operated);
    } finally {
      for (const handle of [operated.region, operated.adjuster]) await handle.terminate().catch(() => undefined);
    }
  });
}

function operate(client: Client, name: string, outside: ScriptedRegion): Operated {
  const region = client.workflow.getHandle(regionWorkflowId(name));
  const adjuster = client.workflow.getHandle(adjustmentWorkflowId(name));
  const adjustment = (): Promise<AdjustmentStatus> => adjuster.query<AdjustmentStatus>('status');
  return {
    ...{ outside, region, adjuster, adjustment },
    ...conversation<RegionStatus, MessageName>(region),
    ticks: async (count) => {
      const wanted = (await adjustment()).ticks + count;
      await eventually(`${count} ticks`, async () => (await adjustment()).ticks >= wanted);
    },
    newRun: async (handle) => {
      const { runId } = await handle.describe();
      await eventually('a new run', async () => (await handle.describe()).runId !== runId);
    },
  };
}

export function operating({ phase, tuner }: RegionStatus): boolean {
  return phase === 'operating' && tuner.state === 'running';
}
