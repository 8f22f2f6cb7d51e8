import { readEventsText } from '../../core/forecast/events/eventsFile.js';
import type { CsvSourceSpec } from '../../core/spec/eventSource.js';
import type { EventSource, EventSurroundings } from './port.js';
import { createTextSource } from './text.js';

/** A CSV file or address with the columns of an events file. */
export function createCsvSource(spec: CsvSourceSpec, around: EventSurroundings): EventSource {
  return createTextSource(spec, around, (text, name) => readEventsText(text, name, 'csv'));
}
