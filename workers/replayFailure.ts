import type { HistoryEventJson, HistoryJson } from './history.js';
import { nameOf } from './history.js';

/** What the SDK's core says, without the wrapping. */
export function reasonOf(error: Error): string {
  const [, told] = /Failure \{ message: "((?:[^"\\]|\\.)*)"/s.exec(error.message) ?? [];
  const text = told?.replaceAll('\\"', '"').replaceAll('\\n', '\n') ?? error.message;
  return `${error.name}: ${text.split('\n').slice(0, 3).join(' ')}`;
}

/**
 * The event of a history at which a build goes another way. The core names it in most of its messages; of the rest it
 * is found by replaying ever shorter parts.
 */
export async function firstFailingTask(
  history: HistoryJson,
  error: Error,
  replays: (part: HistoryJson) => Promise<boolean>,
): Promise<HistoryEventJson | null> {
  const [, id] = /HistoryEvent\(id: (\d+)/.exec(error.message) ?? [];
  if (id !== undefined) return history.events.find(({ eventId }) => eventId === id) ?? null;
  const events = await failingTask(history, replays);
  const [, name] = /of scheduled event '([^']+)'/.exec(error.message) ?? [];
  return events.find((event) => nameOf(event) === name) ?? events[0] ?? null;
}

/** The events that came of the first workflow task which this build does not repeat. */
async function failingTask(
  history: HistoryJson,
  replays: (part: HistoryJson) => Promise<boolean>,
): Promise<readonly HistoryEventJson[]> {
  const ends = history.events.flatMap(({ eventType }, i) =>
    eventType === 'EVENT_TYPE_WORKFLOW_TASK_STARTED' ? [i + 1] : [],
  );
  const parts = [...ends, history.events.length];
  let [replaying, failing] = [-1, parts.length - 1];
  while (failing - replaying > 1) {
    const middle = Math.floor((replaying + failing) / 2);
    if (await replays({ ...history, events: history.events.slice(0, parts[middle]) })) replaying = middle;
    else failing = middle;
  }
  const part = history.events.slice(0, parts[failing]);
  const completed = part.findLastIndex(({ eventType }) => eventType === 'EVENT_TYPE_WORKFLOW_TASK_COMPLETED');
  return part.slice(completed + 1);
}
