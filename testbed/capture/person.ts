import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Client, WorkflowHandle } from '@temporalio/client';
import { locatePart } from '../../scripts/parts/locate.js';
import type { AdjustmentStatus } from '../../workflows/meshAdjustment/messages.js';
import type { MessageName, MessageOutcome } from '../../workflows/regionLifecycle/messages.js';
import type { RegionStatus } from '../../workflows/regionLifecycle/status.js';
import { REGION_WORKFLOW_TYPE, adjustmentWorkflowId, regionWorkflowId } from '../../workflows/shared/names.js';

/** Somebody who looks at one region and steers it. Every message gets a key of its own. */
export interface Person {
  region: WorkflowHandle;
  adjustment: WorkflowHandle;
  /** Waits until the status of the region is as wanted. */
  until(what: string, check: (status: RegionStatus) => boolean): Promise<RegionStatus>;
  untilTuner(what: string, check: (status: AdjustmentStatus) => boolean): Promise<AdjustmentStatus>;
  /** Sends an update and insists on how it is answered. */
  update(name: MessageName, fields?: Record<string, unknown>, accepted?: boolean): Promise<MessageOutcome>;
  signal(name: MessageName, fields?: Record<string, unknown>): Promise<void>;
}

export interface PersonOptions {
  deadlineMs?: number;
  /** Sent together with the start. */
  firstSignal?: { name: string; input: unknown };
}

const POLL_MS = 100;
const DEADLINE_MS = 120_000;

/** Launches a region and gives whoever steers it. */
export async function launchRegion(
  client: Client,
  name: string,
  taskQueue: string,
  input: unknown,
  options: PersonOptions = {},
): Promise<Person> {
  const workflow = { workflowId: regionWorkflowId(name), taskQueue, args: [input] };
  const { firstSignal, deadlineMs = DEADLINE_MS } = options;
  const region: WorkflowHandle = await (firstSignal === undefined
    ? client.workflow.start(REGION_WORKFLOW_TYPE, workflow)
    : client.workflow.signalWithStart(REGION_WORKFLOW_TYPE, {
        ...workflow,
        signal: firstSignal.name,
        signalArgs: [firstSignal.input],
      }));
  // Of whatever run there is now: a run that continues as new is another one.
  const current = client.workflow.getHandle(region.workflowId);
  const adjustment = client.workflow.getHandle(adjustmentWorkflowId(name));
  let keys = 0;
  const message = (fields: Record<string, unknown>): Record<string, unknown> => {
    keys += 1;
    return { key: `capture-${keys}`, who: 'ada', why: 'to have it in a history', ...fields };
  };
  return {
    region: current,
    adjustment,
    until: (what, check) => poll(what, deadlineMs, () => current.query<RegionStatus>('status'), check),
    untilTuner: (what, check) => poll(what, deadlineMs, () => adjustment.query<AdjustmentStatus>('status'), check),
    update: async (update, fields = {}, accepted = true) => {
      const outcome = await current.executeUpdate<MessageOutcome, [unknown]>(update, { args: [message(fields)] });
      if (outcome.accepted !== accepted) throw new Error(`${name}: ${update} was answered: ${outcome.detail}`);
      return outcome;
    },
    signal: (signal, fields = {}) => current.signal(signal, message(fields)),
  };
}

export const isOperating = (status: RegionStatus): boolean =>
  status.phase === 'operating' && status.tuner.state === 'running';

/** A signal as a slip of the hand sends it: with an encoding that nobody has. */
export async function sendUndecodable(address: string, workflowId: string, signal: MessageName): Promise<void> {
  await promisify(execFile)(locatePart('temporal'), [
    ...['workflow', 'signal', '--address', address, '--workflow-id', workflowId, '--name', signal],
    ...['--input', '{"key":"slip"}', '--input-meta', 'encoding=bogus/thing'],
  ]);
}

async function poll<T>(
  what: string,
  deadlineMs: number,
  look: () => Promise<T>,
  check: (seen: T) => boolean,
): Promise<T> {
  const endMs = Date.now() + deadlineMs;
  let last: unknown;
  for (;;) {
    try {
      const seen = await look();
      if (check(seen)) return seen;
      last = seen;
    } catch (error) {
      last = error;
    }
    if (Date.now() > endMs) {
      const seen = last instanceof Error ? last.message : JSON.stringify(last, null, 1);
      throw new Error(`not within ${deadlineMs} ms: ${what}; last seen: ${seen}`);
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
