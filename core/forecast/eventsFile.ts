import { closeProblems, readCsvTable } from '../spec/csv.js';
import type { CsvRow } from '../spec/csv.js';
import { parseInstant } from '../spec/instant.js';
import type { Problem, Result } from '../spec/problem.js';
import { ok, refused } from '../spec/problem.js';
import type { EventSpec } from '../spec/region.js';
import { eventSchema } from '../spec/regionSchema.js';
import { placeProblem, schemaProblems } from '../spec/schemaProblems.js';

/**
 * Events from a file: CSV `id,kind,start,end[,regions,services,uplift]` with lists by `;`, or JSON, a list of the
 * same fields (or `{"events": […]}`). The name of the file says which. Never throws.
 */
export function parseEventsFile(text: string, file: string): Result<readonly EventSpec[]> {
  if (/\.(?:ics|ical)$/i.test(file) || text.trimStart().startsWith('BEGIN:VCALENDAR')) {
    const message = 'is an iCalendar file, which is not read yet';
    return refused([{ code: 'unsupported', file, field: '(file)', message, fix: 'export it as CSV or JSON' }]);
  }
  return /\.json$/i.test(file) ? parseJson(text, file) : parseCsvEvents(text, file);
}

function parseCsvEvents(text: string, file: string): Result<readonly EventSpec[]> {
  const columns = { required: ['id', 'kind', 'start', 'end'], optional: ['regions', 'services', 'uplift'] };
  const table = readCsvTable(text, columns, file);
  const first = new Map<string, number>();
  const events = table.rows.map((row): EventSpec => {
    const id = row.cell('id');
    const before = first.get(id);
    if (id === '') row.refuse('id', 'is empty');
    else if (before !== undefined) row.refuse('id', `repeats "${id}" of line ${before}`, { fix: 'give each its own' });
    else first.set(id, row.line);
    if (row.cell('kind') === '') row.refuse('kind', 'is empty');
    checkTimes(row);
    const uplift = upliftOf(row);
    const lists = { regions: listOf(row, 'regions'), services: listOf(row, 'services') };
    return {
      id,
      kind: row.cell('kind'),
      start: row.cell('start'),
      end: row.cell('end'),
      ...(lists.regions === undefined ? {} : { regions: lists.regions }),
      ...(lists.services === undefined ? {} : { services: lists.services }),
      ...(uplift === undefined ? {} : { uplift }),
    };
  });
  return table.problems.length > 0 ? refused(closeProblems(table.problems)) : ok(events);
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

function upliftOf(row: CsvRow): number | undefined {
  const written = row.cell('uplift');
  if (written === '') return undefined;
  const uplift = Number(written);
  if (Number.isFinite(uplift) && uplift > -1 && uplift <= 100) return uplift;
  const expected = 'a factor − 1, e.g. 0.5 for +50 %';
  row.refuse('uplift', `"${written.slice(0, 40)}" is not an uplift`, { expected });
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

function parseJson(text: string, file: string): Result<readonly EventSpec[]> {
  const refuse = (message: string): Result<readonly EventSpec[]> =>
    refused([{ code: 'bad-value', file, field: '(file)', message, expected: 'a JSON list of events' }]);
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    return refuse(`is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  const list: unknown = isRecord(document) ? document['events'] : document;
  if (!Array.isArray(list)) return refuse('holds no list of events');
  const schema = eventSchema.array();
  const parsed = schema.safeParse(list, { reportInput: true });
  if (!parsed.success) {
    // JSON.parse keeps no places; the path says which event it is.
    const nowhere = { placeOf: () => ({}), placeOfKey: () => ({}) };
    return refused(schemaProblems(schema, list, parsed.error.issues).map((p) => placeProblem(p, nowhere, file)));
  }
  const problems = parsed.data.flatMap((event, index): Problem[] => {
    if ((parseInstant(event.end) ?? 0) > (parseInstant(event.start) ?? 0)) return [];
    return [{ code: 'bad-value', file, field: `[${index}].end`, message: 'is not after the start' }];
  });
  return problems.length > 0 ? refused(problems) : ok(parsed.data);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
