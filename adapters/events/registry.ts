import type { EventSourceKind, EventSourceSpec } from '../../core/spec/eventSource.js';
import { createCalendarSource } from './calendar.js';
import { createCsvSource } from './csv.js';
import { createHolidaySource } from './holidays.js';
import { createIcalSource } from './ical.js';
import { createJsonSource } from './json.js';
import { createNewsSource } from './news.js';
import type { EventSource, EventSurroundings } from './port.js';

type Create<S extends EventSourceSpec> = (spec: S, around: EventSurroundings) => EventSource;

const SOURCES: Readonly<{ [K in EventSourceKind]: Create<Extract<EventSourceSpec, { kind: K }>> }> = {
  ical: createIcalSource,
  csv: createCsvSource,
  json: createJsonSource,
  holidays: createHolidaySource,
  news: createNewsSource,
  calendar: createCalendarSource,
};

export function openEventSource<K extends EventSourceKind>(
  spec: Extract<EventSourceSpec, { kind: K }>,
  around: EventSurroundings,
): EventSource {
  const create: Create<Extract<EventSourceSpec, { kind: K }>> = SOURCES[spec.kind as K];
  return create(spec, around);
}
