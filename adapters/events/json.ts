import type { EventsRead } from '../../core/forecast/events/eventsFile.js';
import { checkEvents, readJsonText, refusedWhole } from '../../core/forecast/events/eventsFile.js';
import { isRecord } from '../../core/spec/rawDocument.js';
import type { JsonSourceSpec } from '../../core/spec/eventSource.js';
import type { EventSpec } from '../../core/spec/region.js';
import type { TimeZone } from '../../core/spec/timeZone.js';
import { utcOfWall } from '../../core/spec/timeZone.js';
import { pointed } from './jsonPointer.js';
import type { EventSource, EventSurroundings } from './port.js';
import { createTextSource } from './text.js';

const FIELDS = ['id', 'kind', 'start', 'end', 'regions', 'services', 'uplift', 'channel', 'budget'] as const;

/** Any JSON document, by the mapping that the region file declares. */
export function createJsonSource(spec: JsonSourceSpec, around: EventSurroundings): EventSource {
  return createTextSource(spec, around, (text, name) => readMapped(text, name, spec, around.timeZone));
}

/**
 * Entries of a JSON document as events. Times may be ISO 8601, with a zone or in the local one, days, or seconds or
 * milliseconds since the epoch; lists may be texts parted by `;` or `,`; numbers may be texts. Entries without an id
 * get their place in the list.
 */
export function readMapped(text: string, name: string, spec: JsonSourceSpec, local: TimeZone): EventsRead {
  return readJsonText(text, name, (document) => {
    const list =
      spec.list !== undefined ? pointed(document, spec.list) : isRecord(document) ? document['events'] : document;
    if (!Array.isArray(list)) return refusedWhole(name, 'is no list of events', { field: spec.list ?? '(file)' });
    const entries = list.map((entry: unknown, index) => (isRecord(entry) ? mapped(entry, index, spec, local) : entry));
    return checkEvents(entries, name);
  });
}

function mapped(
  entry: Readonly<Record<string, unknown>>,
  index: number,
  spec: JsonSourceSpec,
  local: TimeZone,
): Partial<Record<keyof EventSpec, unknown>> {
  const event: Partial<Record<keyof EventSpec, unknown>> = {};
  for (const field of FIELDS) {
    const found = pointed(entry, spec.fields[field] ?? `/${field}`);
    if (found !== undefined && found !== null) event[field] = valueOf(field, found, local);
  }
  event.id ??= `#${index + 1}`;
  if (spec.eventKind !== undefined) event.kind ??= spec.eventKind;
  return event;
}

function valueOf(field: keyof EventSpec, found: unknown, local: TimeZone): unknown {
  switch (field) {
    case 'id':
    case 'kind':
    case 'channel':
      return typeof found === 'number' ? String(found) : found;
    case 'start':
    case 'end':
      return timeOf(found, local);
    case 'regions':
    case 'services':
      return typeof found === 'string' ? found.split(/[;,]/).flatMap((part) => part.trim() || []) : found;
    case 'uplift':
    case 'budget':
      return typeof found === 'string' && found.trim() !== '' ? Number(found) : found;
  }
}

/** Seconds since the epoch stay below this for three thousand years, milliseconds have been above it since 1973. */
const LEAST_MS = 1e11;

function timeOf(found: unknown, local: TimeZone): unknown {
  if (typeof found === 'number') {
    const at = new Date(Math.abs(found) < LEAST_MS ? found * 1000 : found);
    return Number.isNaN(at.getTime()) ? found : at.toISOString();
  }
  if (typeof found !== 'string') return found;
  const bare = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2})?))?$/.exec(found.trim());
  if (bare === null) return found;
  const wallMs = Date.parse(`${bare[1]}T${bare[2] ?? '00:00'}Z`);
  // Date.parse takes the 30th of February for the second of March.
  const real = !Number.isNaN(wallMs) && new Date(wallMs).toISOString().startsWith(bare[1] ?? '');
  return real ? new Date(utcOfWall(wallMs, local)).toISOString() : found;
}
