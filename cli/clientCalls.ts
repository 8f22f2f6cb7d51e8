import type { Client } from '@temporalio/client';
import { WorkflowExecutionAlreadyStartedError, WorkflowUpdateFailedError } from '@temporalio/client';
import type { MessageOutcome } from '../workflows/regionLifecycle/messages.js';

/** What the commands of regions and of fleets ask of a server alike. */

export interface Started {
  workflowId: string;
  runId: string;
  /** `false`: one runs already under that id, and this is it. */
  started: boolean;
}

export interface Launch {
  type: string;
  workflowId: string;
  taskQueue: string;
  /** Text of the file that it is launched from. */
  text: string;
  summary: string;
}

/** Asking twice is harmless: who asks second is told of the one that runs. */
export async function startOnce(client: Client, launch: Launch): Promise<Started> {
  const { type, workflowId, taskQueue, text, summary } = launch;
  try {
    const { firstExecutionRunId: runId } = await client.workflow.start(type, {
      workflowId,
      taskQueue,
      args: [text],
      staticSummary: summary,
      workflowIdConflictPolicy: 'FAIL',
    });
    return { workflowId, runId, started: true };
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    const { runId } = await client.workflow.getHandle(workflowId).describe();
    return { workflowId, runId, started: false };
  }
}

/**
 * Sends a message as an update; a refusal by its validator is an outcome like any other. The update's id is made of
 * the message's key, so that one sent again finds the first instead of being carried out twice.
 */
export async function update(
  client: Client,
  workflowId: string,
  name: string,
  message: { key: string },
): Promise<MessageOutcome> {
  try {
    const options = { args: [message] as [unknown], updateId: `${name}/${message.key}` };
    return await client.workflow.getHandle(workflowId).executeUpdate<MessageOutcome, [unknown]>(name, options);
  } catch (error) {
    if (!(error instanceof WorkflowUpdateFailedError)) throw error;
    return { accepted: false, detail: error.cause?.message ?? error.message };
  }
}
