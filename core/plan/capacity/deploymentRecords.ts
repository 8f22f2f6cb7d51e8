import { countOf, shown } from '../../graph/sources/numbers.js';
import { readJson } from '../../graph/sources/jsonText.js';
import type { JsonPart } from '../../graph/sources/jsonText.js';
import { closeProblems, readCsvTable } from '../../spec/csv.js';
import type { CsvRow } from '../../spec/csv.js';
import { parseInstant } from '../../spec/instant.js';
import { ok, refused } from '../../spec/problem.js';
import type { Problem, Result } from '../../spec/problem.js';

/** What a service did at one time in a past deployment. Absent: not known. */
export interface DeploymentRecord {
  /** Milliseconds since the epoch. */
  at: number;
  service: string;
  region?: string;
  instances: number;
  /** Cores and memory of one instance. */
  cpu?: number;
  memoryMiB?: number;
  /** From the start of an instance until it took requests. */
  startupSeconds?: number;
  /** Answered by all instances together. */
  throughputRps: number;
  p99Ms?: number;
}

const TEXTS = ['time', 'service', 'region'] as const;
const NUMBERS = ['instances', 'throughputRps', 'cpu', 'memoryMiB', 'startupSeconds', 'p99Ms'] as const;
type NumberField = (typeof NUMBERS)[number];
type Field = (typeof TEXTS)[number] | NumberField;
const NEEDED: readonly Field[] = ['time', 'service', 'instances', 'throughputRps'];
/** Zero says nothing in these. */
const POSITIVE: readonly Field[] = ['instances', 'cpu', 'memoryMiB', 'p99Ms'];
/** No file of a deployment holds more than this in one cell. */
const LARGEST = 1e9;

/**
 * Records of past deployments: CSV `time,service,instances,cpu,memoryMiB,startupSeconds,throughputRps,p99Ms[,region]`,
 * where cells of `cpu` to `startupSeconds` and `p99Ms` may be empty, or JSON: a list of objects with these fields, or
 * one in each line. Every problem at once, each with its line; never throws.
 */
export function parseDeploymentRecords(text: string, file: string): Result<readonly DeploymentRecord[]> {
  const isJson = /^[\s\uFEFF]*[[{]/.test(text);
  const { records, problems } = isJson ? fromJson(text, file) : fromCsv(text, file);
  if (problems.length > 0) return refused(problems);
  if (records.length === 0) {
    return refused([{ code: 'empty', file, line: 1, field: '(file)', message: 'holds no records' }]);
  }
  return ok(records);
}

interface Read {
  records: readonly DeploymentRecord[];
  problems: readonly Problem[];
}

/** Reads one field, or tells what is wrong with it. */
interface Cells {
  value(field: Field): unknown;
  refuse(field: Field, message: string, expected?: string): void;
}

function fromCsv(text: string, file: string): Read {
  const optional = ['region', 'cpu', 'memoryMiB', 'startupSeconds', 'p99Ms'];
  const table = readCsvTable(text, { required: NEEDED, optional }, file);
  const records = table.rows.flatMap((row) => recordFrom(cellsOf(row)));
  return { records, problems: closeProblems(table.problems) };
}

function cellsOf(row: CsvRow): Cells {
  return {
    value: (field) => (row.cell(field) === '' ? undefined : row.cell(field)),
    refuse: (field, message, expected) => row.refuse(field, message, expected === undefined ? {} : { expected }),
  };
}

function fromJson(text: string, file: string): Read {
  const found = readJson(text, file);
  const records = found.parts.flatMap((part) => {
    if (!Array.isArray(part.value)) return recordFrom(membersOf(part, [], part.value));
    return part.value.flatMap((value: unknown, i) => recordFrom(membersOf(part, [i], value)));
  });
  return { records, problems: found.problems };
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

function recordFrom(cells: Cells): DeploymentRecord[] {
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
  const { instances = 0, throughputRps = 0, ...others } = numbers;
  if (!sound || at === null || typeof service !== 'string') return [];
  return [{ at, service, instances, throughputRps, ...others, ...(typeof region === 'string' ? { region } : {}) }];
}
