import type { Client } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import type { PackedKeys } from '../../workflows/regionLifecycle/keys.js';
import { unpackKeys } from '../../workflows/regionLifecycle/keys.js';
import type { KeyRecord } from '../../workflows/regionLifecycle/state.js';

type History = Awaited<ReturnType<ReturnType<Client['workflow']['getHandle']>['fetchHistory']>>;

/** One run of a chain of continue-as-new. */
export interface Run {
  runId: string;
  events: number;
  /** Of what the run before handed on. */
  stateBytes: number;
  /** Why workflow tasks failed; what came while the new run was asked for is no failure. */
  taskFailures: readonly string[];
  state: { keys?: unknown } | null;
}

/** `UnhandledCommand` in Temporal's WorkflowTaskFailedCause: a message came while the task ended the run. */
const CAME_MEANWHILE = 1;

/** All runs of a workflow, the oldest first. */
export async function chainOf(client: Client, workflowId: string): Promise<Run[]> {
  const runs: Run[] = [];
  let runId = (await client.workflow.getHandle(workflowId).describe()).runId;
  while (runId !== '') {
    const history = await client.workflow.getHandle(workflowId, runId).fetchHistory();
    runs.unshift(runOf(runId, history));
    runId = history.events?.[0]?.workflowExecutionStartedEventAttributes?.continuedExecutionRunId ?? '';
  }
  return runs;
}

function runOf(runId: string, { events }: History): Run {
  const payloads = events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads ?? [];
  const state = payloads[1];
  const failures = (events ?? []).flatMap(({ workflowTaskFailedEventAttributes: failed }) => failed ?? []);
  return {
    runId,
    events: events?.length ?? 0,
    stateBytes: state?.data?.length ?? 0,
    taskFailures: failures
      .filter(({ cause }) => cause !== CAME_MEANWHILE)
      .map(({ cause, failure }) => `${cause}: ${failure?.message ?? ''}`),
    state: state === undefined ? null : defaultPayloadConverter.fromPayload(state),
  };
}

/** The keys that a run began with; written out or packed. */
export function keysOf({ state }: Run): Readonly<Record<string, KeyRecord>> {
  const keys = state?.keys;
  if (typeof keys !== 'object' || keys === null) return {};
  return 'rows' in keys ? unpackKeys(keys as PackedKeys) : (keys as Record<string, KeyRecord>);
}
