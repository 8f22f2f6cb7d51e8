import { readEventsText } from '../../core/forecast/events/eventsFile.js';
import type { IcalSourceSpec } from '../../core/spec/eventSource.js';
import type { EventSource, EventSurroundings } from './port.js';
import { createTextSource } from './text.js';

/** An iCalendar file or address; see core/forecast/icalEvents.ts for what is read of it. */
export function createIcalSource(spec: IcalSourceSpec, around: EventSurroundings): EventSource {
  const { timeZone } = around;
  return createTextSource(spec, around, (text, name, window) =>
    readEventsText(text, name, 'ical', { timeZone, window }),
  );
}
