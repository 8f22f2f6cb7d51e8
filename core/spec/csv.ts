import type { Problem } from './problem.js';
import { nearestName } from './nearest.js';

/** One record of a CSV text; `line` is where it starts, counted from 1. */
export interface CsvRecord {
  line: number;
  cells: readonly string[];
}

/** More problems than this in one file say the same thing; the rest are only counted. */
export const MAX_CSV_PROBLEMS = 100;

/**
 * Splits a CSV text as RFC 4180 has it: quotes, doubled quotes, line ends inside quotes, LF or CRLF. Blank lines
 * and a byte order mark are skipped. Never throws; a quote that is never closed is returned as `openQuoteLine`.
 */
export function parseCsv(text: string): { records: readonly CsvRecord[]; openQuoteLine?: number } {
  const records: CsvRecord[] = [];
  let index = text.startsWith('\uFEFF') ? 1 : 0;
  let line = 1;
  while (index < text.length) {
    const start = line;
    const cells: string[] = [];
    let atEnd = false;
    while (!atEnd) {
      let cell = '';
      if (text[index] === '"') {
        const close = closingQuote(text, index + 1);
        if (close === -1) return { records, openQuoteLine: line };
        cell = text.slice(index + 1, close).replaceAll('""', '"');
        line += countLines(cell);
        index = close + 1;
      }
      const stop = cellEnd(text, index);
      cell += text.slice(index, stop).replace(/\r$/, '');
      cells.push(cell.trim());
      atEnd = text[stop] !== ',';
      index = stop + 1;
    }
    line++;
    if (cells.length > 1 || cells[0] !== '') records.push({ line: start, cells });
  }
  return { records };
}

function closingQuote(text: string, from: number): number {
  for (let at = text.indexOf('"', from); at !== -1; at = text.indexOf('"', at + 2)) {
    if (text[at + 1] !== '"') return at;
  }
  return -1;
}

function cellEnd(text: string, from: number): number {
  for (let at = from; at < text.length; at++) {
    const character = text[at];
    if (character === ',' || character === '\n') return at;
  }
  return text.length;
}

function countLines(text: string): number {
  return text.split('\n').length - 1;
}

/** A row of a CSV with a header, by column name, with a way to tell what is wrong with one of its cells. */
export interface CsvRow {
  line: number;
  cell(column: string): string;
  refuse(column: string, message: string, help?: { expected?: string; fix?: string }): void;
}

export interface CsvTable {
  rows: readonly CsvRow[];
  /** Which column of `oneOf` the header has. */
  chosen?: string;
  problems: Problem[];
}

/**
 * Reads a CSV with a header. Every required column must be there, unknown ones are refused, and so are rows of
 * another width. Problems beyond `MAX_CSV_PROBLEMS` are only counted, by `closeProblems`.
 */
export function readCsvTable(text: string, columns: CsvColumns, file?: string): CsvTable {
  const problems: Problem[] = [];
  const tell = (line: number, code: string, field: string, message: string, help: CsvHelp = {}): void => {
    problems.push({ code, ...(file === undefined ? {} : { file }), line, field, message, ...help });
  };
  const { records, openQuoteLine } = parseCsv(text);
  if (openQuoteLine !== undefined) tell(openQuoteLine, 'csv-syntax', '(row)', 'opens a quote that is never closed');
  const [header, ...body] = records;
  if (header === undefined) {
    const expected = `a header ${[...columns.required, ...(columns.oneOf ?? []).slice(0, 1)].join(',')}`;
    tell(1, 'empty', '(file)', 'holds no rows', { expected });
    return { rows: [], problems };
  }
  const told = problems.length;
  const index = headerIndex(header, columns, tell);
  if (problems.length > told) return { rows: [], problems };
  const rows: CsvRow[] = [];
  for (const { line, cells } of body) {
    if (cells.length !== header.cells.length) {
      tell(line, 'csv-width', '(row)', `has ${cells.length} cells, the header has ${header.cells.length}`);
      continue;
    }
    rows.push({
      line,
      cell: (column) => cells[index.get(column) ?? -1] ?? '',
      refuse: (column, message, help) => tell(line, 'bad-value', column, message, help),
    });
  }
  const chosen = columns.oneOf?.find((name) => index.has(name));
  return { rows, problems, ...(chosen === undefined ? {} : { chosen }) };
}

export interface CsvColumns {
  required: readonly string[];
  /** Exactly one of these must be there. */
  oneOf?: readonly string[];
  optional?: readonly string[];
}

interface CsvHelp {
  expected?: string;
  fix?: string;
}

type Tell = (line: number, code: string, field: string, message: string, help?: CsvHelp) => void;

function headerIndex(header: CsvRecord, columns: CsvColumns, tell: Tell): ReadonlyMap<string, number> {
  const oneOf = columns.oneOf ?? [];
  const known = [...columns.required, ...oneOf, ...(columns.optional ?? [])];
  const index = new Map<string, number>();
  for (const [at, name] of header.cells.entries()) {
    const meant = nearestName(name, known);
    const fix = meant === undefined ? 'remove it' : `did you mean "${meant}"?`;
    if (!known.includes(name))
      tell(header.line, 'unknown-column', name, 'is not a column of this file', { expected: known.join(','), fix });
    else if (index.has(name)) tell(header.line, 'duplicate-column', name, 'is there twice');
    else index.set(name, at);
  }
  for (const name of columns.required) {
    if (!index.has(name))
      tell(header.line, 'missing-column', name, 'is missing from the header', { expected: known.join(',') });
  }
  const [chosen, ...more] = oneOf.filter((name) => index.has(name));
  const [first] = oneOf;
  if (chosen === undefined && first !== undefined)
    tell(header.line, 'missing-column', first, 'is missing from the header', {
      expected: `one of ${oneOf.join(', ')}`,
    });
  for (const name of more)
    tell(header.line, 'duplicate-column', name, `says the same as ${chosen ?? ''}`, { fix: 'keep one of them' });
  return index;
}

/** The first `MAX_CSV_PROBLEMS` in the order of the file, and how many more there are. */
export function closeProblems(problems: readonly Problem[]): readonly Problem[] {
  const sorted = [...problems].sort((a, b) => (a.line ?? 0) - (b.line ?? 0));
  const last = sorted[MAX_CSV_PROBLEMS - 1];
  if (sorted.length <= MAX_CSV_PROBLEMS || last === undefined) return sorted;
  const message = `and ${sorted.length - MAX_CSV_PROBLEMS} more problems after line ${last.line ?? 0}`;
  const more: Problem = {
    code: 'more',
    ...(last.file === undefined ? {} : { file: last.file }),
    field: '(file)',
    message,
  };
  return [...sorted.slice(0, MAX_CSV_PROBLEMS), more];
}
