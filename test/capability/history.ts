import type { WorkflowHandle } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import type { RegionActivities } from '../../activities/contract.js';

/** One activity of a workflow as its history has it. */
export interface ActivityRecord {
  type: keyof RegionActivities;
  completed: boolean;
  /** Of the attempt that ended it; 1: the first one. */
  attempt: number;
  /** `null` until it has completed. */
  result: unknown;
}

/** Every activity that the workflow has asked for, in the order in which it did. */
export async function activitiesOf(workflow: WorkflowHandle): Promise<readonly ActivityRecord[]> {
  const { events } = await workflow.fetchHistory();
  const records = new Map<string, ActivityRecord>();
  for (const event of events ?? []) {
    const scheduled = event.activityTaskScheduledEventAttributes;
    const started = event.activityTaskStartedEventAttributes;
    const completed = event.activityTaskCompletedEventAttributes;
    if (scheduled) {
      const type = scheduled.activityType?.name as ActivityRecord['type'];
      records.set(String(event.eventId), { type, completed: false, attempt: 0, result: null });
    }
    const record = records.get(String((started ?? completed)?.scheduledEventId));
    if (record === undefined) continue;
    if (started) record.attempt = started.attempt ?? 0;
    const [payload] = completed?.result?.payloads ?? [];
    if (completed)
      Object.assign(record, { completed: true, result: payload && defaultPayloadConverter.fromPayload(payload) });
  }
  return [...records.values()];
}

/** How often each type of activity has completed. */
export function completions(activities: readonly ActivityRecord[]): Partial<Record<ActivityRecord['type'], number>> {
  const counts: Partial<Record<ActivityRecord['type'], number>> = {};
  for (const { type } of activities.filter((activity) => activity.completed)) counts[type] = (counts[type] ?? 0) + 1;
  return counts;
}

/** Results of the completed activities of one type, in order. */
export function resultsOf<T extends keyof RegionActivities>(
  activities: readonly ActivityRecord[],
  type: T,
): Awaited<ReturnType<RegionActivities[T]>>[] {
  const found = activities.filter((activity) => activity.type === type && activity.completed);
  return found.map(({ result }) => result as Awaited<ReturnType<RegionActivities[T]>>);
}
