import { readEventsText } from '../../core/forecast/events/eventsFile.js';
import type { CalendarSourceSpec } from '../../core/spec/eventSource.js';
import type { EventSource, EventSurroundings } from './port.js';
import { down, readRemote } from './text.js';

/**
 * A calendar service: `GET <url>?from=<ISO 8601>&to=<ISO 8601>`, with `Authorization: Bearer` where a token is named,
 * answers a JSON list of events (or `{"events": […]}`) with the fields of an events file.
 */
export function createCalendarSource(spec: CalendarSourceSpec, around: EventSurroundings): EventSource {
  return {
    read: async (window, signal) => {
      const { tokenVariable } = spec;
      const token = tokenVariable === undefined ? undefined : around.variable(tokenVariable);
      if (tokenVariable !== undefined && (token === undefined || token === '')) {
        return down(`needs a token, and the environment variable ${tokenVariable} is not set`);
      }
      const url = new URL(spec.url);
      url.searchParams.set('from', new Date(window.fromMs).toISOString());
      url.searchParams.set('to', new Date(window.toMs).toISOString());
      const request = { url: url.href, ...(token === undefined ? {} : { token }) };
      return readRemote(request, spec.url, around, window, signal, (text, name) => readEventsText(text, name, 'json'));
    },
  };
}
