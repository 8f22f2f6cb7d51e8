/** A workflow's history as Temporal's tools write it as JSON; here only what is read of it. */
export interface HistoryJson {
  events: readonly HistoryEventJson[];
}

export interface HistoryEventJson {
  eventId: string;
  eventType: string;
  [attributes: string]: unknown;
}

export function isHistory(value: unknown): value is HistoryJson {
  const { events } = (typeof value === 'object' && value !== null ? value : {}) as { events?: unknown };
  if (!Array.isArray(events) || events.length === 0) return false;
  return events.every((event) => typeof (event as { eventType?: unknown } | null)?.eventType === 'string');
}

const asObject = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};

const asText = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);

function started(history: HistoryJson): Record<string, unknown> {
  return asObject(history.events[0]?.['workflowExecutionStartedEventAttributes']);
}

/** Not every server writes it into the history; without it, the region's name says it, and then the parent's id. */
export function workflowIdOf(history: HistoryJson): string {
  const said = asText(started(history)['workflowId']);
  if (said !== undefined) return said;
  const suffix = workflowTypeOf(history) === 'meshAdjustment' ? '/adjustment' : '';
  const region = regionOf(history);
  if (region !== undefined) return `region/${region}${suffix}`;
  const parent = asText(asObject(started(history)['parentWorkflowExecution'])['workflowId']);
  return parent === undefined ? 'unknown' : `${parent}${suffix}`;
}

/** The search attribute that a region sets, or what its workflows were started with. */
function regionOf(history: HistoryJson): string | undefined {
  for (const event of history.events) {
    const upsert = asObject(event['upsertWorkflowSearchAttributesEventAttributes']);
    const fields = asObject(asObject(upsert['searchAttributes'])['indexedFields']);
    const region = asText(decode(fields['PsmgRegion']));
    if (region !== undefined) return region;
  }
  const payloads = asObject(started(history)['input'])['payloads'];
  const [first, second] = (Array.isArray(payloads) ? payloads : []).map(decode);
  return asText(asObject(first)['region']) ?? asText(asObject(asObject(second)['accepted'])['name']);
}

function decode(payload: unknown): unknown {
  try {
    return JSON.parse(Buffer.from(String(asObject(payload)['data']), 'base64').toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
}

export function workflowTypeOf(history: HistoryJson): string {
  return asText(asObject(started(history)['workflowType'])['name']) ?? '';
}

/** Kept by a reset, which makes another run of it. */
export function runIdOf(history: HistoryJson): string {
  return asText(started(history)['originalExecutionRunId']) ?? '';
}

/** Type and name of an event: `ActivityTaskScheduled readBack`. */
export function eventOf(event: HistoryEventJson): string {
  const type = event.eventType
    .replace(/^EVENT_TYPE_/, '')
    .toLowerCase()
    .replace(/(^|_)([a-z])/g, (_all, _gap, letter: string) => letter.toUpperCase());
  const name = nameOf(event);
  return name === undefined ? type : `${type} ${name}`;
}

/** What tells one command from another of its type. */
export function nameOf(event: HistoryEventJson): string | undefined {
  const attributes = asObject(Object.entries(event).find(([key]) => key.endsWith('EventAttributes'))?.[1]);
  const typed = asObject(attributes['activityType'])['name'] ?? asObject(attributes['workflowType'])['name'];
  return asText(typed) ?? asText(attributes['signalName']) ?? asText(attributes['markerName']);
}
