import { countOf, shown } from '../../../graph/sources/numbers.js';
import type { JsonPart } from '../../../graph/sources/jsonText.js';
import { closeProblems, readCsvTable } from '../../../spec/csv.js';
import type { CsvRow } from '../../../spec/csv.js';
import { parseInstant } from '../../../spec/instant.js';
import type { PastDeployment, RecordsRead } from './pastDeployment.js';

const TEXTS = ['time', 'service', 'region'] as const;
const NUMBERS = ['instances', 'throughputRps', 'cpu', 'memoryMiB', 'startupSeconds', 'p99Ms'] as const;
type NumberField = (typeof NUMBERS)[number];
type Field = (typeof TEXTS)[number] | NumberField;
const NEEDED: readonly Field[] = ['time', 'service', 'instances'];
const OPTIONAL: readonly Field[] = ['region', 'throughputRps', 'cpu', 'memoryMiB', 'startupSeconds', 'p99Ms'];
/** Zero says nothing in these. */
const POSITIVE: readonly Field[] = ['instances', 'cpu', 'memoryMiB', 'p99Ms'];
/** No file of a deployment holds more than this in one cell. */
const LARGEST = 1e9;

/** Reads one field, or tells what is wrong with it. */
interface Cells {
  value(field: Field): unknown;
  refuse(field: Field, message: string, expected?: string): void;
}

/** CSV `time,service,instances` with any of `cpu,memoryMiB,startupSeconds,throughputRps,p99Ms,region`, in any order. */
export function recordsOfCsv(text: string, file: string): RecordsRead {
  const table = readCsvTable(text, { required: NEEDED, optional: OPTIONAL }, file);
  const records = table.rows.flatMap((row) => recordFrom(cellsOf(row)));
  return { records, problems: closeProblems(table.problems) };
}

function cellsOf(row: CsvRow): Cells {
  return {
    value: (field) => (row.cell(field) === '' ? undefined : row.cell(field)),
    refuse: (field, message, expected) => row.refuse(field, message, expected === undefined ? {} : { expected }),
  };
}

/** Objects with the same fields, in a list or one in each part; problems are told through the part. */
export function recordsOfJson(parts: readonly JsonPart[]): readonly PastDeployment[] {
  return parts.flatMap((part) => {
    if (!Array.isArray(part.value)) return recordFrom(membersOf(part, [], part.value));
    return part.value.flatMap((value: unknown, i) => recordFrom(membersOf(part, [i], value)));
  });
}

function membersOf(part: JsonPart, path: readonly PropertyKey[], value: unknown): Cells {
  const isRecord = typeof value === 'object' && value !== null && !Array.isArray(value);
  const members = new Map<string, unknown>(isRecord ? Object.entries(value) : []);
  for (const name of members.keys()) {
    if (![...TEXTS, ...NUMBERS].some((field) => field === name))
      part.fail('unknown-field', [...path, name], 'is not a field of a record', [...TEXTS, ...NUMBERS].join(', '));
  }
  return {
    value: (field) => members.get(field) ?? undefined,
    refuse: (field, message, expected) => part.fail('bad-value', [...path, field], message, expected),
  };
}

function recordFrom(cells: Cells): PastDeployment[] {
  let sound = true;
  const refuse = (field: Field, value: unknown, expected: string): undefined => {
    sound = false;
    cells.refuse(field, value === undefined ? 'is missing' : `${shown(value)} is not ${expected}`, expected);
    return undefined;
  };
  const time = cells.value('time');
  const at = typeof time === 'string' ? parseInstant(time) : null;
  if (at === null) refuse('time', time, 'a time with a zone, e.g. 2026-03-01T08:00:00Z');
  const service = cells.value('service');
  if (typeof service !== 'string' || service === '') refuse('service', service, 'the name of a service');
  const region = cells.value('region');
  if (region !== undefined && typeof region !== 'string') refuse('region', region, 'the name of a region');
  const numbers: Partial<Record<NumberField, number>> = {};
  for (const field of NUMBERS) {
    const value = cells.value(field);
    if (value === undefined && !NEEDED.includes(field)) continue;
    const number = countOf(value);
    const positive = POSITIVE.includes(field);
    const isWhole = field !== 'instances' || Number.isInteger(number);
    if (number === null || number > LARGEST || (positive && number === 0) || !isWhole)
      refuse(field, value, field === 'instances' ? 'a whole number above 0' : `a number ${positive ? '> 0' : '>= 0'}`);
    else numbers[field] = number;
  }
  if (cells.value('throughputRps') === undefined && cells.value('startupSeconds') === undefined)
    refuse('throughputRps', undefined, 'what was answered, or startupSeconds, or both');
  const { instances = 0, ...others } = numbers;
  if (!sound || at === null || typeof service !== 'string') return [];
  return [{ at, service, instances, ...others, ...(typeof region === 'string' ? { region } : {}) }];
}
