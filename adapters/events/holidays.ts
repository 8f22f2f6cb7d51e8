import type { HolidaysTypes } from 'date-holidays';

import type { EventsWindow } from '../../core/forecast/events/eventsFile.js';
import type { HolidaySourceSpec, HolidayType } from '../../core/spec/eventSource.js';
import type { EventSpec } from '../../core/spec/region.js';
import type { TimeZone } from '../../core/spec/timeZone.js';
import { utcOfWall } from '../../core/spec/timeZone.js';
import type { EventReading, EventSource, EventSurroundings } from './port.js';
import { down, reading } from './text.js';

const DAY_MS = 86_400_000;
/** A window longer than this is a mistake, and each year costs some milliseconds. */
const MAX_YEARS = 30;

/** Holidays of a country, or of a state or region of it, by date-holidays; from midnight to midnight in local time. */
export function createHolidaySource(spec: HolidaySourceSpec, around: EventSurroundings): EventSource {
  return { read: (window, signal) => readHolidays(spec, around, window, signal) };
}

async function readHolidays(
  spec: HolidaySourceSpec,
  around: EventSurroundings,
  window: EventsWindow,
  signal: AbortSignal,
): Promise<EventReading> {
  signal.throwIfAborted();
  const { country, state, region } = spec;
  try {
    // Its data and astronomy take a sixth of a second to load: only for those who ask for holidays.
    const { default: Holidays } = await import('date-holidays');
    const names = new Holidays();
    const unknown =
      notAmong(country, names.getCountries(), 'country') ??
      (state === undefined ? null : notAmong(state, names.getStates(country), `state of ${country}`)) ??
      (state === undefined || region === undefined
        ? null
        : notAmong(region, names.getRegions(country, state), `region of ${country}-${state}`));
    if (unknown !== null) return down(unknown);
    const found = new Holidays(country, state ?? '', region ?? '');
    const first = new Date(window.fromMs - DAY_MS).getUTCFullYear();
    const last = Math.min(new Date(window.toMs + DAY_MS).getUTCFullYear(), first + MAX_YEARS);
    const events: EventSpec[] = [];
    for (let year = first; year <= last; year++) {
      for (const holiday of found.getHolidays(year)) {
        if (isWanted(holiday, spec.types)) events.push(eventOf(holiday, spec.eventKind, around.timeZone));
      }
    }
    const read = { events: unique(events), sound: events.length, problems: [], notes: [] };
    return reading(read, window, around.now());
  } catch (error) {
    signal.throwIfAborted();
    return down(`the holidays of ${country} cannot be told: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function notAmong(code: string, known: Readonly<Record<string, string>> | undefined, what: string): string | null {
  if (known !== undefined && Object.hasOwn(known, code)) return null;
  const codes = Object.keys(known ?? {});
  const some =
    codes.length === 0 ? '' : ` (there are ${codes.slice(0, 20).join(', ')}${codes.length > 20 ? ', …' : ''})`;
  return `${code} is no ${what} whose holidays are known${some}`;
}

function isWanted(holiday: HolidaysTypes.Holiday, types: readonly HolidayType[]): boolean {
  return types.some((type) => type === holiday.type);
}

function eventOf(holiday: HolidaysTypes.Holiday, kind: string, zone: TimeZone): EventSpec {
  // `start` and `end` are moments in the country's first zone; the region may be in another, and the day is the same.
  const wallMs = Date.parse(`${holiday.date.slice(0, 19).replace(' ', 'T')}Z`);
  const lastsMs = holiday.end.getTime() - holiday.start.getTime();
  const days = Math.round(lastsMs / DAY_MS);
  // A day on which the clocks change has 23 or 25 hours.
  const wallLengthMs = days > 0 && Math.abs(lastsMs - days * DAY_MS) <= 2 * 3_600_000 ? days * DAY_MS : lastsMs;
  return {
    id: `${holiday.date.slice(0, 10)} ${holiday.name}`,
    kind,
    start: new Date(utcOfWall(wallMs, zone)).toISOString(),
    end: new Date(utcOfWall(wallMs + wallLengthMs, zone)).toISOString(),
  };
}

/** Two rules may name one day alike. */
function unique(events: readonly EventSpec[]): EventSpec[] {
  return [...new Map(events.map((event) => [event.id, event])).values()];
}
