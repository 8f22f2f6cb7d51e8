import type { Client } from '@temporalio/client';

type History = Awaited<ReturnType<ReturnType<Client['workflow']['getHandle']>['fetchHistory']>>;

/** What one run of a chain of continue-as-new came to. */
export interface LongRun {
  events: number;
  /** Of what the run before handed on. */
  stateBytes: number;
  largestPayloadBytes: number;
  /** Changes that the run was asked whether it has them, and had. */
  patches: readonly string[];
  /** Workers that completed its tasks. */
  identities: readonly string[];
  taskFailures: number;
}

/** Every run of a workflow, the oldest first. */
export async function longRunsOf(client: Client, workflowId: string): Promise<LongRun[]> {
  const runs: LongRun[] = [];
  let { runId } = await client.workflow.getHandle(workflowId).describe();
  while (runId !== '') {
    const history = await client.workflow.getHandle(workflowId, runId).fetchHistory();
    runs.unshift(runOf(history));
    runId = history.events?.[0]?.workflowExecutionStartedEventAttributes?.continuedExecutionRunId ?? '';
  }
  return runs;
}

function runOf({ events }: History): LongRun {
  const all = events ?? [];
  const input = all[0]?.workflowExecutionStartedEventAttributes?.input?.payloads ?? [];
  return {
    events: all.length,
    stateBytes: input[1]?.data?.length ?? 0,
    largestPayloadBytes: Math.max(...all.map(largestBytes)),
    patches: all.flatMap(({ markerRecordedEventAttributes: marker }) => {
      const data = marker?.details?.['patch-data']?.payloads?.[0]?.data;
      return data ? [(JSON.parse(Buffer.from(data).toString('utf8')) as { id: string }).id] : [];
    }),
    identities: [
      ...new Set(all.flatMap(({ workflowTaskCompletedEventAttributes: completed }) => completed?.identity ?? [])),
    ],
    taskFailures: all.filter((event) => event.workflowTaskFailedEventAttributes).length,
  };
}

function largestBytes(value: unknown): number {
  if (value instanceof Uint8Array) return value.length;
  if (typeof value !== 'object' || value === null) return 0;
  return Math.max(0, ...Object.values(value).map(largestBytes));
}
