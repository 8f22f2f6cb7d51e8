import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  CancellationScope,
  ChildWorkflowCancellationType,
  ParentClosePolicy,
  getExternalWorkflowHandle,
  sleep,
  startChild,
  workflowInfo,
} from '@temporalio/workflow';
import type { AcceptedRegion } from '../../activities/contract.js';
import type { AdjustmentInput, RunOrder } from '../meshAdjustment/messages.js';
import { runSignal } from '../meshAdjustment/messages.js';
import { ADJUSTMENT_WORKFLOW_TYPE, adjustmentWorkflowId } from '../shared/names.js';

const START_ATTEMPTS = 10;

/** Starts a region's adjustment under an order; one that runs already, and goes on running, gets the order instead. */
export async function startAdjustment(accepted: AcceptedRegion, run: RunOrder): Promise<void> {
  const { name: region, autonomy, tunables } = accepted;
  const input: AdjustmentInput = { region, autonomy, tunables, run };
  // Outside the scope of this run: continue-as-new and cancellation of the region leave the adjustment alone.
  await CancellationScope.nonCancellable(async () => {
    // One that was cancelled a moment ago may still be closing: an order sent to it would be lost.
    for (let attempt = 0; attempt < START_ATTEMPTS; attempt += 1) {
      if (await tryStart(input)) return;
      await sleep('1 second', { summary: 'an earlier adjustment is closing' });
    }
    await getExternalWorkflowHandle(adjustmentWorkflowId(region)).signal(runSignal, run);
  });
}

async function tryStart(input: AdjustmentInput): Promise<boolean> {
  try {
    await startChild(ADJUSTMENT_WORKFLOW_TYPE, {
      workflowId: adjustmentWorkflowId(input.region),
      args: [input],
      parentClosePolicy: ParentClosePolicy.ABANDON,
      cancellationType: ChildWorkflowCancellationType.ABANDON,
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      staticSummary: `adjustment of region ${input.region}`,
      taskQueue: workflowInfo().taskQueue,
    });
    return true;
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return false;
    throw error;
  }
}
