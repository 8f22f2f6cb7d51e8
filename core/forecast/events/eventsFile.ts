import type { CsvRow } from '../../spec/csv.js';
import { closeProblems, readCsvTable } from '../../spec/csv.js';
import { parseInstant } from '../../spec/instant.js';
import type { Problem, Result } from '../../spec/problem.js';
import { ok, refused } from '../../spec/problem.js';
import { isRecord } from '../../spec/rawDocument.js';
import type { EventSpec } from '../../spec/region.js';
import { eventSchema } from '../../spec/regionSchema.js';
import { placeProblem, schemaProblems } from '../../spec/schemaProblems.js';
import type { TimeZone } from '../../spec/timeZone.js';
import { UTC } from '../../spec/timeZone.js';
import { readIcalEvents } from './icalEvents.js';

/** Milliseconds since the epoch: history and horizon, from ≤ time < to. */
export interface EventsWindow {
  fromMs: number;
  toMs: number;
  /** The moment of the forecast: nothing that was measured later is looked at. Absent: now. */
  atMs?: number;
}

export interface EventsFileOptions {
  /** Where days and times of an iCalendar file that name no zone belong; UTC unless given. */
  timeZone?: TimeZone;
  /** How far rules of an iCalendar file are followed; without it one that repeats without end is a problem. */
  window?: EventsWindow;
}

/** The sound entries of a text, and what is wrong with the others. */
export interface EventsRead {
  events: readonly EventSpec[];
  /** How many entries could be used, those outside the window included. */
  sound: number;
  problems: readonly Problem[];
  notes: readonly string[];
}

export type EventsFormat = 'ical' | 'json' | 'csv';

/** By the name of the file, or by how its text begins. */
function eventsFormat(text: string, file: string): EventsFormat {
  if (/\.(?:ics|ical|ifb)$/i.test(file) || /^\uFEFF?\s*BEGIN:VCALENDAR/i.test(text)) return 'ical';
  return /\.json$/i.test(file) ? 'json' : 'csv';
}

/**
 * Events from a file: CSV `id,kind,start,end[,regions,services,uplift,channel,budget]` with lists by `;`, JSON, a list
 * of the same fields (or `{"events": […]}`), or iCalendar (see icalEvents.ts). One entry that cannot be used refuses
 * the file, with every problem in it. Never throws.
 */
export function parseEventsFile(
  text: string,
  file: string,
  options: EventsFileOptions = {},
): Result<readonly EventSpec[]> {
  const { events, problems, notes } = readEventsText(text, file, eventsFormat(text, file), options);
  if (problems.length > 0) return refused(problems);
  return ok(
    events,
    notes.map((message) => ({ code: 'left-out', file, field: '(file)', message })),
  );
}

/** The same, entry by entry: what is sound is given beside what is not. Never throws. */
export function readEventsText(
  text: string,
  file: string,
  format: EventsFormat,
  options: EventsFileOptions = {},
): EventsRead {
  const read = READERS[format](text, file, options);
  return { ...read, problems: closeProblems(read.problems) };
}

const READERS: Readonly<Record<EventsFormat, (text: string, file: string, options: EventsFileOptions) => EventsRead>> =
  {
    ical: (text, file, { timeZone, window }) => readIcalEvents(text, file, timeZone ?? UTC, window),
    json: readJsonEvents,
    csv: readCsvEvents,
  };

const COLUMNS = {
  required: ['id', 'kind', 'start', 'end'],
  optional: ['regions', 'services', 'uplift', 'channel', 'budget'],
};

function readCsvEvents(text: string, file: string): EventsRead {
  const table = readCsvTable(text, COLUMNS, file);
  const first = new Map<string, number>();
  const events: EventSpec[] = [];
  for (const row of table.rows) {
    const told = table.problems.length;
    const event = eventOf(row, first);
    if (table.problems.length === told) events.push(event);
  }
  return { events, sound: events.length, problems: table.problems, notes: [] };
}

function eventOf(row: CsvRow, first: Map<string, number>): EventSpec {
  const id = row.cell('id');
  const before = first.get(id);
  if (id === '') row.refuse('id', 'is empty');
  else if (before !== undefined) row.refuse('id', `repeats "${id}" of line ${before}`, { fix: 'give each its own' });
  else first.set(id, row.line);
  if (row.cell('kind') === '') row.refuse('kind', 'is empty');
  checkTimes(row);
  const uplift = numberOf(row, 'uplift', (value) => value > -1 && value <= 100, 'a factor − 1, e.g. 0.5 for +50 %');
  const budget = numberOf(row, 'budget', (value) => value >= 0, 'a number ≥ 0');
  const lists = { regions: listOf(row, 'regions'), services: listOf(row, 'services') };
  const channel = row.cell('channel');
  return {
    id,
    kind: row.cell('kind'),
    start: row.cell('start'),
    end: row.cell('end'),
    ...(lists.regions === undefined ? {} : { regions: lists.regions }),
    ...(lists.services === undefined ? {} : { services: lists.services }),
    ...(uplift === undefined ? {} : { uplift }),
    ...(channel === '' ? {} : { channel }),
    ...(budget === undefined ? {} : { budget }),
  };
}

function checkTimes(row: CsvRow): void {
  const times = ['start', 'end'].map((column) => {
    const at = parseInstant(row.cell(column));
    const expected = 'ISO 8601 with a zone, e.g. 2026-03-01T08:00:00Z';
    if (at === null) row.refuse(column, `"${row.cell(column).slice(0, 40)}" is not a time with a zone`, { expected });
    return at;
  });
  const [start, end] = times;
  if (typeof start === 'number' && typeof end === 'number' && end <= start) row.refuse('end', 'is not after the start');
}

function numberOf(
  row: CsvRow,
  column: string,
  holds: (value: number) => boolean,
  expected: string,
): number | undefined {
  const written = row.cell(column);
  if (written === '') return undefined;
  const value = Number(written);
  if (Number.isFinite(value) && holds(value)) return value;
  row.refuse(column, `"${written.slice(0, 40)}" is not ${column === 'uplift' ? 'an uplift' : `a ${column}`}`, {
    expected,
  });
  return undefined;
}

function listOf(row: CsvRow, column: string): string[] | undefined {
  const names = row
    .cell(column)
    .split(';')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  return names.length === 0 ? undefined : names;
}

/** A text that cannot be read at all, or one field that spoils it. */
export function refusedWhole(
  file: string,
  message: string,
  { field = '(file)', expected }: { field?: string; expected?: string } = {},
): EventsRead {
  const problem = { code: 'bad-value', file, field, message, ...(expected === undefined ? {} : { expected }) };
  return { events: [], sound: 0, problems: [problem], notes: [] };
}

/** Reads a JSON text by its document; one that is no JSON is refused whole. */
export function readJsonText(
  text: string,
  file: string,
  read: (document: unknown) => EventsRead,
  help: { expected?: string } = {},
): EventsRead {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    return refusedWhole(file, `is not JSON: ${error instanceof Error ? error.message : String(error)}`, help);
  }
  return read(document);
}

function readJsonEvents(text: string, file: string): EventsRead {
  const help = { expected: 'a JSON list of events' };
  const read = (document: unknown): EventsRead => {
    const list: unknown = isRecord(document) ? document['events'] : document;
    return Array.isArray(list) ? checkEvents(list, file) : refusedWhole(file, 'holds no list of events', help);
  };
  return readJsonText(text, file, read, help);
}

/** Entries of a list, each checked by itself; `[3].end` names a field of the fourth. */
export function checkEvents(list: readonly unknown[], file: string): EventsRead {
  const schema = eventSchema.array();
  const parsed = schema.safeParse(list, { reportInput: true });
  // JSON.parse keeps no places; the path says which event it is.
  const nowhere = { placeOf: () => ({}), placeOfKey: () => ({}) };
  const found = parsed.success ? [] : schemaProblems(schema, list, parsed.error.issues);
  const problems = found.map((problem): Problem => placeProblem(problem, nowhere, file));
  const broken = new Set(found.map(({ path }) => path[0]));
  const events: EventSpec[] = [];
  const first = new Map<string, number>();
  for (const [index, entry] of list.entries()) {
    const one = broken.has(index) ? undefined : eventSchema.safeParse(entry);
    if (one?.success !== true) continue;
    const event = one.data;
    const told = problems.length;
    const before = first.get(event.id);
    const tell = (field: string, message: string): unknown =>
      problems.push({ code: 'bad-value', file, field: `[${index}].${field}`, message });
    if ((parseInstant(event.end) ?? 0) <= (parseInstant(event.start) ?? 0)) tell('end', 'is not after the start');
    if (before !== undefined) tell('id', `repeats "${event.id.slice(0, 63)}" of [${before}]`);
    else first.set(event.id, index);
    if (problems.length === told) events.push(event);
  }
  return { events, sound: events.length, problems, notes: [] };
}
