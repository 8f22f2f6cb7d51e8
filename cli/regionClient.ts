import type { Client } from '@temporalio/client';
import { WorkflowFailedError, WorkflowUpdateFailedError } from '@temporalio/client';
import type { AuditHead } from '../core/audit/record.js';
import { connectClient, temporalTarget } from '../workers/connect.js';
import { traceConfig } from '../workers/tracing/config.js';
import type { Tracing } from '../workers/tracing/tracing.js';
import type { AuditStatus } from '../workflows/shared/audit.js';
import { REGION_WORKFLOW_TYPE, adjustmentWorkflowId, regionWorkflowId } from '../workflows/shared/names.js';
import type { MessageName, MessageOutcome } from '../workflows/regionLifecycle/messages.js';
import type { RegionStatus } from '../workflows/regionLifecycle/status.js';

/** The part of the commands that needs Temporal's client; loaded only when one of them runs. */

export async function startRegion(
  name: string,
  text: string,
  taskQueue: string,
): Promise<{ workflowId: string; runId: string }> {
  return withClient(async (client) => {
    const handle = await client.workflow.start(REGION_WORKFLOW_TYPE, {
      workflowId: regionWorkflowId(name),
      taskQueue,
      args: [text],
      staticSummary: `life of region ${name}`,
    });
    return { workflowId: handle.workflowId, runId: handle.firstExecutionRunId };
  });
}

export async function regionStatus(name: string): Promise<RegionStatus> {
  return withClient((client) => client.workflow.getHandle(regionWorkflowId(name)).query<RegionStatus>('status'));
}

/** Where a region's two workflows know its chain to end. Rejects when the region's lifecycle does not answer. */
export async function auditHeads(region: string): Promise<readonly AuditHead[]> {
  return withClient(async (client) => {
    const ask = (workflowId: string): Promise<{ audit?: AuditStatus }> =>
      client.workflow.getHandle(workflowId).query<{ audit?: AuditStatus }>('status');
    const lifecycle = await ask(regionWorkflowId(region));
    // A region that does not operate yet has no adjustment.
    const adjustment = await ask(adjustmentWorkflowId(region)).catch(() => ({}) as { audit?: AuditStatus });
    return [lifecycle, adjustment].flatMap(({ audit }) =>
      audit === undefined || audit.seq === null || audit.hash === null ? [] : [{ seq: audit.seq, hash: audit.hash }],
    );
  });
}

/** Sends a message as an update; a refusal by its validator is an outcome like any other. */
export async function sendMessage(region: string, name: MessageName, message: unknown): Promise<MessageOutcome> {
  return withClient(async (client) => {
    try {
      const handle = client.workflow.getHandle(regionWorkflowId(region));
      return await handle.executeUpdate<MessageOutcome, [unknown]>(name, { args: [message] });
    } catch (error) {
      if (!(error instanceof WorkflowUpdateFailedError)) throw error;
      return { accepted: false, detail: error.cause?.message ?? error.message };
    }
  });
}

async function withClient<T>(use: (client: Client) => Promise<T>): Promise<T> {
  const tracing = await traced();
  const client = await connectClient(temporalTarget(), tracing?.clientInterceptors());
  try {
    return await use(client);
  } catch (error) {
    if (error instanceof WorkflowFailedError) throw error.cause ?? error;
    throw error;
  } finally {
    await client.connection.close();
    await tracing?.stop();
  }
}

/** The trace of a region begins with the command that launches it; nothing is loaded where traces go nowhere. */
async function traced(): Promise<Tracing | null> {
  const config = traceConfig(process.env, 'psmg-cli');
  return config === null ? null : (await import('../workers/tracing/tracing.js')).startTracing(config);
}
