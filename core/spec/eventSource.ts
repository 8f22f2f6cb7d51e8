import type { EventSpec } from './region.js';

/** Where further events come from, read anew before each forecast. */
export type EventSourceSpec =
  IcalSourceSpec | CsvSourceSpec | JsonSourceSpec | HolidaySourceSpec | NewsSourceSpec | CalendarSourceSpec;
export type EventSourceKind = EventSourceSpec['kind'];

interface SourceName {
  /** Stands before the ids of its events, `<name>/<id>`; `<kind>-<place in the list>` unless given. */
  name?: string;
}

/** A file relative to the worker's working directory, or an address: one of the two. */
export interface SourcePlace {
  file?: string;
  url?: string;
}

export interface IcalSourceSpec extends SourceName, SourcePlace {
  kind: 'ical';
}

/** The columns of an events file. */
export interface CsvSourceSpec extends SourceName, SourcePlace {
  kind: 'csv';
}

/** Any JSON: where its list is and where in each entry a field is, as JSON pointers (RFC 6901). */
export interface JsonSourceSpec extends SourceName, SourcePlace {
  kind: 'json';
  /** Of the list of entries; absent: the document itself, or its `events`. */
  list?: string;
  /** From an entry; a field that is left out is looked for under its own name. */
  fields: Readonly<Partial<Record<keyof EventSpec, string>>>;
  /** Kind of every entry, where the entries name none. */
  eventKind?: string;
}

export type HolidayType = 'public' | 'bank' | 'school' | 'optional' | 'observance';

/** Days from midnight to midnight in the region's time zone (`forecast.timeZone`). */
export interface HolidaySourceSpec extends SourceName {
  kind: 'holidays';
  /** ISO 3166-1 alpha-2, e.g. DE; state and its region as date-holidays names them, e.g. BY and A. */
  country: string;
  state?: string;
  region?: string;
  types: readonly HolidayType[];
  /** Kind of its events. */
  eventKind: string;
}

/** News volume in time, as GDELT's timelines: an event wherever it stands above its usual. */
export interface NewsSourceSpec extends SourceName, SourcePlace {
  kind: 'news';
  eventKind: string;
  /** How many times the usual (its median) a volume must be. */
  threshold: number;
  services?: readonly string[];
}

/** A calendar service that answers `GET url?from=…&to=…` with a JSON list of events. */
export interface CalendarSourceSpec extends SourceName {
  kind: 'calendar';
  url: string;
  /** Name of the environment variable of the worker that holds the bearer token. */
  tokenVariable?: string;
}
