import { setTimeout as pause } from 'node:timers/promises';
import type { Client, WorkflowExecutionDescription } from '@temporalio/client';
import { QueryNotRegisteredError } from '@temporalio/client';
import type { AuditHead } from '../core/audit/record.js';
import { connectClient } from '../workers/connect.js';
import { traceConfig } from '../workers/tracing/config.js';
import type { Tracing } from '../workers/tracing/tracing.js';
import type { AdjustmentStatus } from '../workflows/meshAdjustment/messages.js';
import type { AuditStatus } from '../workflows/shared/audit.js';
import { REGION_WORKFLOW_TYPE, adjustmentWorkflowId, regionWorkflowId } from '../workflows/shared/names.js';
import type { RegionExplanation } from '../workflows/regionLifecycle/explain.js';
import type { MessageName, MessageOutcome } from '../workflows/regionLifecycle/messages.js';
import type { RegionStatus } from '../workflows/regionLifecycle/status.js';
import type { Started } from './clientCalls.js';
import { startOnce, update } from './clientCalls.js';
import { isTooManyUpdates, noWorker, toldError } from './clientErrors.js';
import type { ConnectionChoice } from './connection.js';
import { targetOf } from './connection.js';
import { closedText } from './regionRow.js';
import { Told } from './told.js';

/** The part of the commands that needs Temporal's client; loaded only when one of them runs. */

const CONNECT_MS = 5000;

/** Longest time that a question may take. */
export const ASK_MS = 12_000;

/** Launches the region, or finds that it runs; asked twice, it does no more than asked once. */
export async function startRegion(
  name: string,
  text: string,
  taskQueue: string,
  choice: ConnectionChoice = {},
): Promise<Started> {
  const workflowId = regionWorkflowId(name);
  const launch = { type: REGION_WORKFLOW_TYPE, workflowId, taskQueue, text, summary: `life of region ${name}` };
  return withClient((client) => startOnce(client, launch), choice, name);
}

export async function regionStatus(name: string, choice: ConnectionChoice = {}): Promise<RegionStatus> {
  return withClient((client) => ask<RegionStatus>(client, regionWorkflowId(name), 'status'), choice, name);
}

/** `null`: the region's worker is of a build that does not know the question. */
export async function regionExplanation(
  name: string,
  choice: ConnectionChoice = {},
): Promise<RegionExplanation | null> {
  return withClient(
    async (client) => {
      try {
        return await ask<RegionExplanation>(client, regionWorkflowId(name), 'explain');
      } catch (error) {
        if (error instanceof QueryNotRegisteredError) return null;
        throw error;
      }
    },
    choice,
    name,
  );
}

/** `null`: the region has no adjustment that answers. */
export async function adjustmentStatus(name: string, choice: ConnectionChoice = {}): Promise<AdjustmentStatus | null> {
  return withClient(
    (client) => ask<AdjustmentStatus>(client, adjustmentWorkflowId(name), 'status').catch(() => null),
    choice,
    name,
  );
}

/** Where a region's two workflows know its chain to end. Rejects when the region's lifecycle does not answer. */
export async function auditHeads(region: string): Promise<readonly AuditHead[]> {
  return withClient(
    async (client) => {
      const lifecycle = await ask<{ audit?: AuditStatus }>(client, regionWorkflowId(region), 'status');
      // A region that does not operate yet has no adjustment.
      const adjustment = await ask<{ audit?: AuditStatus }>(client, adjustmentWorkflowId(region), 'status').catch(
        () => ({}) as { audit?: AuditStatus },
      );
      return [lifecycle, adjustment].flatMap(({ audit }) =>
        audit === undefined || audit.seq === null || audit.hash === null ? [] : [{ seq: audit.seq, hash: audit.hash }],
      );
    },
    {},
    region,
  );
}

export interface MessageToSend {
  region: string;
  name: MessageName;
  message: { key: string };
  waitMs: number;
}

/** Sends a message as an update, as soon as the server takes one more, and waits for what comes of it so long. */
export async function sendUpdate(
  { region, name, message, waitMs }: MessageToSend,
  choice: ConnectionChoice = {},
): Promise<MessageOutcome> {
  return withClient(
    async (client) => {
      await requireWorker(client, region);
      const work = updateWhenThereIsRoom(client, region, name, message, Date.now() + waitMs);
      const late = new AbortController();
      const timeout = pause(waitMs, null, { signal: late.signal }).then(() => {
        throw new Told(
          `no answer within ${waitMs / 1000} s; ${name} may still be carried out: "psmg region status ${region}" tells, and the same again with --key ${message.key} is harmless`,
        );
      });
      // Whichever loses has nobody to hear it.
      work.catch(() => undefined);
      timeout.catch(() => undefined);
      return Promise.race([work, timeout]).finally(() => late.abort());
    },
    choice,
    region,
  );
}

async function updateWhenThereIsRoom(
  client: Client,
  region: string,
  name: MessageName,
  message: { key: string },
  deadlineMs: number,
): Promise<MessageOutcome> {
  for (;;) {
    try {
      return await update(client, regionWorkflowId(region), name, message);
    } catch (error) {
      if (!isTooManyUpdates(error) || Date.now() > deadlineMs) throw error;
      process.stderr.write('the region has ten messages in hand: trying again under the same key\n');
      await pause(1000);
    }
  }
}

/** As a signal: recorded whatever the worker does, carried out when it comes to it. */
export async function sendSignal(
  { region, name, message }: Pick<MessageToSend, 'region' | 'name' | 'message'>,
  choice: ConnectionChoice = {},
): Promise<void> {
  await withClient(
    async (client) => {
      await requireOpen(client, region);
      await client.workflow.getHandle(regionWorkflowId(region)).signal(name, message);
    },
    choice,
    region,
  );
}

/** Two questions to the server that tell what the client alone could only wait for. */
async function requireWorker(client: Client, region: string): Promise<void> {
  const { taskQueue } = await requireOpen(client, region);
  const { pollers } = await client.workflowService.describeTaskQueue({
    namespace: client.options.namespace,
    taskQueue: { name: taskQueue },
    taskQueueType: 1,
  });
  if ((pollers ?? []).length === 0) throw noWorker(region, `nobody polls task queue "${taskQueue}"`);
}

async function requireOpen(client: Client, region: string): Promise<WorkflowExecutionDescription> {
  const found = await client.workflow.getHandle(regionWorkflowId(region)).describe();
  if (found.closeTime !== undefined) throw new Told(closedText(region, found));
  return found;
}

async function ask<T>(client: Client, workflowId: string, question: string): Promise<T> {
  return client.withDeadline(Date.now() + ASK_MS, () => client.workflow.getHandle(workflowId).query<T>(question));
}

/** Connects, and tells every failure in words for people. */
export async function withClient<T>(
  use: (client: Client) => Promise<T>,
  choice: ConnectionChoice,
  region?: string,
): Promise<T> {
  const target = targetOf(choice);
  const asked = {
    address: target.connection.address ?? 'localhost:7233',
    namespace: target.namespace,
    ...(region === undefined ? {} : { region }),
  };
  const tracing = await traced();
  try {
    const connection = { ...target.connection, connectTimeout: CONNECT_MS };
    const client = await connectClient({ ...target, connection }, tracing?.clientInterceptors());
    try {
      return await use(client);
    } finally {
      await client.connection.close();
    }
  } catch (error) {
    throw toldError(error, asked);
  } finally {
    await tracing?.stop();
  }
}

/** The trace of a region begins with the command that launches it; nothing is loaded where traces go nowhere. */
async function traced(): Promise<Tracing | null> {
  const config = traceConfig(process.env, 'psmg-cli');
  return config === null ? null : (await import('../workers/tracing/tracing.js')).startTracing(config);
}
