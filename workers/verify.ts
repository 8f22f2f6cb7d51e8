import type { Client } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import type { SavedHistory } from './replay.js';

export interface HistoryQuery {
  /** Of Temporal's visibility, such as `TaskQueue = 'psmg' AND ExecutionStatus = 'Running'`. */
  query: string;
  /** Most histories that are fetched; the server lists what runs first, then the newest. */
  limit: number;
  timeoutMs: number;
}

/** At once; a server is asked for no more. */
const FETCHES = 4;

export const RUNNING_REGIONS = "WorkflowType IN ('regionLifecycle', 'meshAdjustment') AND ExecutionStatus = 'Running'";

/** Open and closed workflows of a task queue, as far back as the server keeps them. */
export function everythingOn(taskQueue: string): string {
  return `TaskQueue = '${taskQueue.replaceAll("'", "''")}'`;
}

/** Fetches the histories of what a query finds. Rejects where the server cannot be asked within the time. */
export async function fetchHistories(client: Client, options: HistoryQuery): Promise<readonly SavedHistory[]> {
  const { query, limit, timeoutMs } = options;
  const deadline = Date.now() + timeoutMs;
  return client.withDeadline(deadline, async () => {
    const found: { workflowId: string; runId: string }[] = [];
    for await (const { workflowId, runId } of client.workflow.list({ query, pageSize: Math.min(limit, 1000) })) {
      found.push({ workflowId, runId });
      if (found.length >= limit) break;
    }
    const histories: SavedHistory[] = [];
    for (let i = 0; i < found.length; i += FETCHES) {
      const batch = found.slice(i, i + FETCHES).map(({ workflowId, runId }) => fetchHistory(client, workflowId, runId));
      histories.push(...(await Promise.all(batch)));
    }
    return histories;
  });
}

/** A history as `temporal workflow show --output json` writes it; absent `runId`: of the newest run. */
export async function fetchHistory(client: Client, workflowId: string, runId?: string): Promise<SavedHistory> {
  const history = await client.workflow.getHandle(workflowId, runId).fetchHistory();
  return { name: workflowId, history: JSON.parse(historyToJSON(history)) as unknown };
}
